"""etcd's v3 API as its gateway speaks it: JSON, bytes in base64, 64-bit numbers as strings."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.probe.api import Kept
from orchestrator.probe.failover import Asking, FailoverClient
from orchestrator.probe.history import Event
from orchestrator.probe.http_session import Body, Request

MEMBERS = Request("POST", "/v3/cluster/member/list", "{}")
PAGE = 1000
DELETION = ("DELETE", 1)


def put(key: str, value: str, *, lease: str = "0") -> Request:
    """Write a key."""
    return _post("/v3/kv/put", key=encoded(key), value=encoded(value), lease=lease)


def replace(key: str, value: str, *, lease: str, dropped: str) -> Request:
    """Write a key that goes with a lease, and take another one away, in one revision."""
    written = {"key": encoded(key), "value": encoded(value), "lease": lease}
    success = [{"requestPut": written}, {"requestDeleteRange": {"key": encoded(dropped)}}]
    return _post("/v3/kv/txn", success=success)


def remove(prefix: str) -> Request:
    """Take every key below a prefix away."""
    return _post("/v3/kv/deleterange", key=encoded(prefix), range_end=encoded(_end(prefix)))


def get(key: str) -> Request:
    """Read one key, linearizably."""
    return _post("/v3/kv/range", key=encoded(key))


def below(prefix: str, *, after: str | None, serializable: bool) -> Request:
    """Read the next page of keys with a prefix, after a given key."""
    begin = prefix if after is None else f"{after}\0"
    return _post(
        "/v3/kv/range",
        key=encoded(begin),
        range_end=encoded(_end(prefix)),
        limit=str(PAGE),
        sort_target="KEY",
        sort_order="ASCEND",
        serializable=serializable,
    )


def pairs(answer: Body) -> dict[str, str]:
    """Return the keys and values that were read."""
    return {decoded(each["key"]): decoded(each.get("value", "")) for each in answer.get("kvs", ())}


def revision(answer: Body) -> int:
    """Return the store's revision as an answer tells it; behind a write, that is the write's own."""
    return int(answer["header"]["revision"])


def watch(prefix: str, revision: int) -> Request:
    """Ask for every write below a prefix, from a revision on."""
    asked = {"key": encoded(prefix), "range_end": encoded(_end(prefix)), "start_revision": str(revision)}
    return _post("/v3/watch", create_request=asked)


def events(part: Body) -> tuple[Event, ...]:
    """Return the writes that a part of a watch's answer tells of; etcdctl numbers the types of events."""
    return tuple(
        Event(
            int(each["kv"]["mod_revision"]),
            decoded(each["kv"]["key"]),
            decoded(each["kv"].get("value", "")),
            is_deletion=each.get("type") in DELETION,
        )
        for each in part.get("events", ())
    )


def grant(ttl_s: int) -> Request:
    """Ask for a lease; the answer has its ID."""
    return _post("/v3/lease/grant", TTL=str(ttl_s), ID="0")


def renew(lease: str) -> Request:
    """Renew a lease; the answer has no TTL if etcd knows it no more."""
    return _post("/v3/lease/keepalive", ID=lease)


def revoke(lease: str) -> Request:
    """End a lease, and take its keys away; this path is the one that every version has."""
    return _post("/v3/kv/lease/revoke", ID=lease)


def authentication(users: Mapping[str, str], role: str) -> Iterator[Request]:
    """Make users with passwords who all have a role, and turn authentication on."""
    yield _post("/v3/auth/role/add", name=role)
    for name, password in users.items():
        yield _post("/v3/auth/user/add", name=name, password=password)
        yield _post("/v3/auth/user/grant", user=name, role=role)
    yield _post("/v3/auth/enable")


def encoded(text: str) -> str:
    """Write text as the gateway wants its bytes."""
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    """Read text from the gateway's bytes."""
    return base64.b64decode(text).decode()


def _end(prefix: str) -> str:
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _post(path: str, **body: Any) -> Request:  # noqa: ANN401 - JSON
    return Request("POST", path, json.dumps(body))


class KeptLease(Kept):
    """A key of the v3 API that is bound to a lease."""

    id = ""

    def grant(self) -> bool:
        """Ask for the lease and write its key."""
        answer = self._client.ask(grant(self._ttl_s))
        if answer is None:
            return False
        self.id = str(answer["ID"])
        if self._client.ask(put(self._key, "held", lease=self.id)) is None:
            return False
        self.state = "alive"
        return True

    def _renewed(self) -> bool | None:
        answer = self._client.ask(renew(self.id))
        result = None if answer is None else answer.get("result")  # a stream that failed has an error instead
        return None if result is None else int(result.get("TTL", "0")) > 0

    def _lives(self) -> bool | None:
        answer = self._client.ask(get(self._key))
        return None if answer is None else [each.get("lease") for each in answer.get("kvs", ())] == [self.id]


def everything(session: Asking, prefix: str, *, serializable: bool) -> dict[str, str]:
    """Read page by page."""
    found: dict[str, str] = {}
    last = None
    while True:
        page = pairs(session.ask(below(prefix, after=last, serializable=serializable)))
        found |= page
        if len(page) < PAGE:
            return found
        last = max(page)


def kept(client: FailoverClient, key: str, *, ttl_s: int, pause_s: float = 1.0) -> Kept:
    """Return a key with a lease."""
    return KeptLease(client, key, ttl_s=ttl_s, pause_s=pause_s)
