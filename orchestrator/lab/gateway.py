"""A small etcd client: etcd's v3 API as JSON over HTTP or HTTPS, on one kept-alive connection."""

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Body = Mapping[str, Any]  # JSON, as etcd's gRPC gateway speaks it: bytes in base64, 64-bit numbers as strings


class UnansweredError(Exception):
    """An endpoint gave no answer that can be used; another one may."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a member's client API may be found."""

    scheme: Literal["http", "https"]
    address: str
    port: int


class Session:
    """One connection to one endpoint, opened when it is first needed, and again after a failure."""

    def __init__(self, endpoint: Endpoint, trust: ssl.SSLContext | None, *, timeout_s: float) -> None:
        self.endpoint = endpoint
        address, port = endpoint.address, endpoint.port
        self._connection = (  # http.client sets TCP_NODELAY itself
            http.client.HTTPSConnection(address, port, timeout=timeout_s, context=trust)
            if endpoint.scheme == "https"
            else http.client.HTTPConnection(address, port, timeout=timeout_s)
        )

    def ask(self, path: str, body: Body) -> Body:
        """Send one request and return the answer; raise UnansweredError for anything but an answer."""
        try:
            content = json.dumps(dict(body))
            self._connection.request("POST", path, content, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            said = response.read()
            answer = json.loads(said) if response.status == 200 else None
        except (OSError, http.client.HTTPException, ValueError) as cause:
            self.close()
            raise UnansweredError(f"{type(cause).__name__}: {cause}") from cause
        if not isinstance(answer, dict):
            self.close()
            raise UnansweredError(f"HTTP {response.status}: {said[:200].decode(errors='replace')}")
        return MappingProxyType(answer)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()


def trusting(ca: str, certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """Return what a TLS client needs that trusts one authority and may show a certificate of its own."""
    context = ssl.create_default_context(cafile=ca)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def put(key: str, value: str, *, lease: str = "0") -> Body:
    """Return the body of /v3/kv/put."""
    return {"key": encoded(key), "value": encoded(value), "lease": lease}


def one(key: str) -> Body:
    """Return the body of /v3/kv/range that reads one key, linearizably."""
    return {"key": encoded(key)}


def below(prefix: str, *, after: str | None, limit: int, serializable: bool) -> Body:
    """Return the body of /v3/kv/range for the next ``limit`` keys with a prefix, after a given key."""
    begin = prefix if after is None else f"{after}\0"
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return {
        "key": encoded(begin),
        "range_end": encoded(end),
        "limit": str(limit),
        "sort_target": "KEY",
        "sort_order": "ASCEND",
        "serializable": serializable,
    }


def pairs(answer: Body) -> dict[str, str]:
    """Return the keys and values in an answer of /v3/kv/range."""
    return {decoded(each["key"]): decoded(each.get("value", "")) for each in answer.get("kvs", ())}


def encoded(text: str) -> str:
    """Write text as the gateway wants its bytes."""
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    """Read text from the gateway's bytes."""
    return base64.b64decode(text).decode()
