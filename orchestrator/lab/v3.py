"""etcd's v3 API as its gateway speaks it: JSON, bytes in base64, 64-bit numbers as strings."""

import base64
import json
from typing import Any

from orchestrator.lab.gateway import Body, Request

MEMBERS = Request("POST", "/v3/cluster/member/list", "{}")
PAGE = 1000


def put(key: str, value: str, *, lease: str = "0") -> Request:
    """Write a key."""
    return _post("/v3/kv/put", key=encoded(key), value=encoded(value), lease=lease)


def get(key: str) -> Request:
    """Read one key, linearizably."""
    return _post("/v3/kv/range", key=encoded(key))


def below(prefix: str, *, after: str | None, serializable: bool) -> Request:
    """Read the next page of keys with a prefix, after a given key."""
    begin = prefix if after is None else f"{after}\0"
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return _post(
        "/v3/kv/range",
        key=encoded(begin),
        range_end=encoded(end),
        limit=str(PAGE),
        sort_target="KEY",
        sort_order="ASCEND",
        serializable=serializable,
    )


def pairs(answer: Body) -> dict[str, str]:
    """Return the keys and values that were read."""
    return {decoded(each["key"]): decoded(each.get("value", "")) for each in answer.get("kvs", ())}


def grant(ttl_s: int) -> Request:
    """Ask for a lease; the answer has its ID."""
    return _post("/v3/lease/grant", TTL=str(ttl_s), ID="0")


def renew(lease: str) -> Request:
    """Renew a lease; the answer has no TTL if etcd knows it no more."""
    return _post("/v3/lease/keepalive", ID=lease)


def encoded(text: str) -> str:
    """Write text as the gateway wants its bytes."""
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    """Read text from the gateway's bytes."""
    return base64.b64decode(text).decode()


def _post(path: str, **body: Any) -> Request:  # noqa: ANN401 - JSON
    return Request("POST", path, json.dumps(body))
