"""A key that is kept alive, as by a client that holds a lock: if it expires, the lock is lost."""

import threading
from abc import ABC, abstractmethod
from typing import Literal, Self

from orchestrator.lab import v2, v3
from orchestrator.lab.failover import FailoverClient

State = Literal["alive", "expired", "unknown", "none"]


class Kept(ABC):
    """One key that lives only as long as it is renewed, every ``pause_s`` seconds.

    ``state`` is "unknown" until etcd has granted it, and when in the end nobody tells of it.
    """

    def __init__(self, client: FailoverClient, key: str, *, ttl_s: int, pause_s: float = 1.0) -> None:
        self._client = client
        self._key = key
        self._ttl_s = ttl_s
        self._pause_s = pause_s
        self.state: State = "unknown"
        self.renewals = 0
        self.failed_renewals = 0

    def keep(self, stop: threading.Event) -> None:
        """Ask for the key and renew it until told to stop, or until it has expired."""
        self.grant()
        while self.state == "alive" and not stop.wait(self._pause_s):
            self.renew()

    def renew(self) -> None:
        """Renew it once."""
        renewed = self._renewed()
        if renewed is None:
            self.failed_renewals += 1
        elif renewed:
            self.renewals += 1
        else:
            self.state = "expired"

    def look(self) -> None:
        """Look whether the key is still there, as it was first written."""
        if self.state != "alive":
            return
        lives = self._lives()
        if not lives:
            self.state = "unknown" if lives is None else "expired"

    @abstractmethod
    def grant(self) -> None:
        """Write the key for the first time."""

    @abstractmethod
    def _renewed(self) -> bool | None:
        """Renew the key; tell whether etcd still knew it, None if nobody answered."""

    @abstractmethod
    def _lives(self) -> bool | None:
        """Tell whether the key is there as it was first written, None if nobody answered."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


class KeptLease(Kept):
    """A key of the v3 API that is bound to a lease."""

    _id = ""

    def grant(self) -> None:
        """Ask for the lease and write its key."""
        answer = self._client.ask(v3.grant(self._ttl_s))
        if answer is None:
            return
        self._id = str(answer["ID"])
        if self._client.ask(v3.put(self._key, "held", lease=self._id)) is not None:
            self.state = "alive"

    def _renewed(self) -> bool | None:
        answer = self._client.ask(v3.renew(self._id))
        return None if answer is None else int(answer.get("result", {}).get("TTL", "0")) > 0

    def _lives(self) -> bool | None:
        answer = self._client.ask(v3.get(self._key))
        return None if answer is None else [each.get("version") for each in answer.get("kvs", ())] == ["1"]


class KeptKey(Kept):
    """A key of the v2 API that has a time to live."""

    _created: object = None

    def grant(self) -> None:
        """Write the key."""
        answer = self._client.ask(v2.hold(self._key, self._ttl_s))
        if answer is not None:
            self._created = answer["node"]["createdIndex"]
            self.state = "alive"

    def _renewed(self) -> bool | None:
        answer = self._client.ask(v2.renew(self._key, self._ttl_s))
        return None if answer is None else "node" in answer

    def _lives(self) -> bool | None:
        answer = self._client.ask(v2.get(self._key))
        return None if answer is None else answer.get("node", {}).get("createdIndex") == self._created
