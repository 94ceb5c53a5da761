"""A lease that is kept alive, as by a client that holds a lock: if it expires, the lock is lost."""

import threading
from typing import Literal, Self

from orchestrator.lab import gateway
from orchestrator.lab.failover import FailoverClient


class KeptLease:
    """One etcd lease with one key bound to it, renewed every ``pause_s`` seconds.

    ``state`` is "unknown" until etcd has granted the lease, and when in the end nobody tells of it.
    """

    def __init__(self, client: FailoverClient, key: str, *, ttl_s: int, pause_s: float) -> None:
        self._client = client
        self._key = key
        self._ttl_s = ttl_s
        self._pause_s = pause_s
        self._id = ""
        self.state: Literal["alive", "expired", "unknown"] = "unknown"
        self.renewals = 0
        self.failed_renewals = 0

    def keep(self, stop: threading.Event) -> None:
        """Ask for the lease and renew it until told to stop, or until it has expired."""
        self.grant()
        while self.state == "alive" and not stop.wait(self._pause_s):
            self.renew()

    def grant(self) -> None:
        """Ask for the lease and write its key."""
        answer = self._client.ask("/v3/lease/grant", {"TTL": str(self._ttl_s), "ID": "0"})
        if answer is None:
            return
        self._id = str(answer["ID"])
        if self._client.ask("/v3/kv/put", gateway.put(self._key, "held", lease=self._id)) is not None:
            self.state = "alive"

    def renew(self) -> None:
        """Renew the lease once; an answer without a time to live means that etcd knows it no more."""
        answer = self._client.ask("/v3/lease/keepalive", {"ID": self._id})
        if answer is None:
            self.failed_renewals += 1
        elif int(answer.get("result", {}).get("TTL", "0")) <= 0:
            self.state = "expired"
        else:
            self.renewals += 1

    def look(self) -> None:
        """Look whether the key is still there, as it was first written: the lease bound to it lives."""
        if self.state != "alive":
            return
        answer = self._client.ask("/v3/kv/range", gateway.one(self._key))
        if answer is None:
            self.state = "unknown"
        elif [each.get("version") for each in answer.get("kvs", ())] != ["1"]:
            self.state = "expired"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
