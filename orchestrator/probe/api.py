"""What a prober needs of either of etcd's APIs: to write, to read, and to keep a key alive."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal, Protocol, Self

from orchestrator.probe.failover import Asking, FailoverClient
from orchestrator.probe.http_session import Body, Request

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
        """Renew the key until told to stop, or until it has expired."""
        while self.state == "alive" and not stop.wait(self._pause_s):
            self.renew()

    @property
    def last_refusal(self) -> str:
        """What was said by whoever gave no answer last."""
        return self._client.last_refusal

    def renew(self, is_fair: Callable[[], bool] = lambda: True) -> bool:
        """Renew it once, and tell whether that was done; if not, it counts only where that ``is_fair``."""
        renewed = self._renewed()
        if renewed:
            self.renewals += 1
        elif is_fair() and renewed is None:
            self.failed_renewals += 1
        elif is_fair():
            self.state = "expired"
        return bool(renewed)

    def look(self) -> None:
        """Look whether the key is still there, as it was first written."""
        if self.state != "alive":
            return
        lives = self._lives()
        if not lives:
            self.state = "unknown" if lives is None else "expired"

    @abstractmethod
    def grant(self) -> bool:
        """Write the key for the first time, and tell whether that was done."""

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


class Dialect(Protocol):
    """One of etcd's APIs, as the modules v2 and v3 speak it.

    Keys are paths, such as ``/prober/1``; a prefix ends with a slash.
    """

    def put(self, key: str, value: str) -> Request:
        """Write a key."""

    def get(self, key: str) -> Request:
        """Read a key as a quorum knows it."""

    def pairs(self, answer: Body) -> dict[str, str]:
        """Return the keys and values that were read."""

    def everything(self, session: Asking, prefix: str, *, serializable: bool) -> dict[str, str]:
        """Read every key below a prefix from one endpoint, or raise UnansweredError.

        ``serializable`` reads the member's own store alone; otherwise a quorum agrees first.
        """

    def kept(self, client: FailoverClient, key: str, *, ttl_s: int, pause_s: float = 1.0) -> Kept:
        """Return a key that will be kept alive."""
