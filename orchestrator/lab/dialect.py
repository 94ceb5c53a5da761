"""How a prober says the same things in either of etcd's APIs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from orchestrator.lab import v2, v3
from orchestrator.lab.failover import Asking, FailoverClient
from orchestrator.lab.gateway import Body, Request
from orchestrator.lab.lease import Kept, KeptKey, KeptLease


class Dialect(Protocol):
    """Keys are paths, such as ``/prober/1``; a prefix ends with a slash."""

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


class V3:
    """etcd's v3 API."""

    def put(self, key: str, value: str) -> Request:
        """Write a key."""
        return v3.put(key, value)

    def get(self, key: str) -> Request:
        """Read a key linearizably."""
        return v3.get(key)

    def pairs(self, answer: Body) -> dict[str, str]:
        """Return the keys and values that were read."""
        return v3.pairs(answer)

    def everything(self, session: Asking, prefix: str, *, serializable: bool) -> dict[str, str]:
        """Read page by page."""
        found: dict[str, str] = {}
        last = None
        while True:
            page = v3.pairs(session.ask(v3.below(prefix, after=last, serializable=serializable)))
            found |= page
            if len(page) < v3.PAGE:
                return found
            last = max(page)

    def kept(self, client: FailoverClient, key: str, *, ttl_s: int, pause_s: float = 1.0) -> Kept:
        """Return a key with a lease."""
        return KeptLease(client, key, ttl_s=ttl_s, pause_s=pause_s)


class V2:
    """etcd's v2 API."""

    def put(self, key: str, value: str) -> Request:
        """Write a key."""
        return v2.put(key, value)

    def get(self, key: str) -> Request:
        """Read a key with a quorum."""
        return v2.get(key)

    def pairs(self, answer: Body) -> dict[str, str]:
        """Return the keys and values that were read."""
        return v2.pairs(answer)

    def everything(self, session: Asking, prefix: str, *, serializable: bool) -> dict[str, str]:
        """Read the whole directory at once: v2 knows no pages."""
        return v2.pairs(session.ask(v2.below(prefix, quorum=not serializable)))

    def kept(self, client: FailoverClient, key: str, *, ttl_s: int, pause_s: float = 1.0) -> Kept:
        """Return a key with a time to live."""
        return KeptKey(client, key, ttl_s=ttl_s, pause_s=pause_s)


DIALECTS: Mapping[str, Dialect] = MappingProxyType({"v2": V2(), "v3": V3()})
