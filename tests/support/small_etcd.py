"""An etcd in small: one store that three addresses serve, through the v3 gateway and the v2 API."""

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from orchestrator.probe import v3

ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
Answer = tuple[int, dict[str, Any]]
NO_LEADER: Answer = (503, {"error": "no leader"})


@dataclass(slots=True)
class Cluster:
    """A store; each address can be told to misbehave."""

    port: int = 0
    store: dict[str, str] = field(default_factory=dict)
    forgotten: dict[str, str] = field(default_factory=dict)  # address -> the end of the key it does not give
    silent: set[str] = field(default_factory=set)
    silent_s: float = math.inf  # from the first request that is not served, however busy the machine is
    silent_since: float | None = None
    lease_ttl: str | None = "5"
    has_lapsed: bool = False  # the lease, until another one is granted
    stream_error: str = ""  # what a renewal's stream ends with, under HTTP 200
    asked: list[str] = field(default_factory=list)  # addresses
    leased: dict[str, str] = field(default_factory=dict)  # the leases of keys
    written: list[str] = field(default_factory=list)  # keys, by revision from 1 on
    swallows: int = 0  # a revision that no watch delivers
    is_served: bool = True
    gateway: str = "/v3/"
    password: str = ""  # of root, if authentication is on
    logins: int = 0
    tokens: set[str] = field(default_factory=set)  # those that it knows
    client_urls: list[str] = field(default_factory=list)  # of all members, as they are registered

    def answer(self, address: str, method: str, path: str, content: str, token: str = "") -> Answer:
        if path.startswith(self.gateway) and (refused := self.refused(path, content, token)):
            return refused
        if path == "/version":  # which needs no quorum
            return 200, {"etcdserver": "3.4.23"}
        if address in self.silent and self.is_still_silent():
            return NO_LEADER
        self.asked.append(address)
        if path.startswith(self.gateway):
            return 200, self.v3(address, path.replace(self.gateway, "/v3/", 1), json.loads(content))
        if path.startswith("/v3"):
            return 404, {}
        return self.v2(address, method, path, dict(parse_qsl(content)))

    def refused(self, path: str, content: str, token: str) -> Answer | None:
        if self.has_lapsed and path.endswith(("/kv/txn", "/kv/put")):
            return 404, {"code": 5, "message": "etcdserver: requested lease not found"}
        if not path.endswith("/auth/authenticate"):
            if not self.password or token in self.tokens:
                return None
            return (401, {"code": 16}) if token else (400, {"message": "user name is empty"})
        if not self.password:
            return 412, {"message": "authentication is not enabled"}
        if {"name": "root", "password": self.password} != json.loads(content):
            return 400, {"message": "authentication failed"}
        self.logins += 1
        self.tokens.add(f"token.{self.logins}")
        return 200, {"token": f"token.{self.logins}"}

    def is_still_silent(self) -> bool:
        now = time.monotonic()
        if self.silent_since is None:
            self.silent_since = now
        return now - self.silent_since < self.silent_s

    def v3(self, address: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/v3/kv/put":
            self.store[v3.decoded(body["key"])] = v3.decoded(body["value"])
            self.written.append(v3.decoded(body["key"]))
            self.leased[v3.decoded(body["key"])] = body.get("lease", "0")
            return {"header": self.header()}
        if path in ("/v3/kv/txn", "/v3/kv/deleterange", "/v3/kv/lease/revoke"):
            return self.tidied(address, path, body)
        if path == "/v3/kv/range":
            return {"header": self.header(), "kvs": self.found(address, body)}
        if path == "/v3/cluster/member/list":
            return {"members": [{"clientURLs": [url]} for url in self.client_urls]}
        if path == "/v3/lease/grant":
            self.has_lapsed = False
            return {"ID": "7"}
        ttl = "0" if self.has_lapsed else self.lease_ttl or "0"
        error = {"error": {"grpc_code": 14, "message": self.stream_error}}
        return error if self.stream_error else {"result": {"ID": "7", "TTL": ttl}}

    def lapse(self) -> None:
        """Let the lease run out, with its keys."""
        self.has_lapsed = True
        for key in [key for key, lease in self.leased.items() if lease == "7"]:
            self.store.pop(key, None)

    def tidied(self, address: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/v3/kv/deleterange":
            self.remove(body)
        for key in [key for key, lease in self.leased.items() if lease == body.get("ID")]:
            self.store.pop(key, None)
        for one in body.get("success", ()):
            if "requestPut" in one:
                self.leased[v3.decoded(one["requestPut"]["key"])] = one["requestPut"]["lease"]
                self.v3(address, "/v3/kv/put", one["requestPut"])
            else:
                self.remove(one["requestDeleteRange"])
        return {"header": self.header(), "succeeded": True}

    def remove(self, body: dict[str, Any]) -> None:
        begin = v3.decoded(body["key"])
        end = v3.decoded(body["range_end"]) if "range_end" in body else f"{begin}\0"
        for key in [key for key in self.store if begin <= key < end]:
            del self.store[key]

    def header(self) -> dict[str, str]:
        return {"revision": str(len(self.written))}

    def watched(self, address: str, content: str, token: str) -> Iterator[dict[str, Any]]:
        """Deliver one write after the other, until the address is silent; nothing to whoever may not."""
        asked = json.loads(content)["create_request"]
        revision, prefix = int(asked["start_revision"]), v3.decoded(asked["key"])
        is_allowed = not self.password or token in self.tokens
        yield {"result": {"created": True, "canceled": not is_allowed}}
        while self.is_served and not (address in self.silent and self.is_still_silent()):
            if revision > len(self.written) or not is_allowed:
                time.sleep(0.001)
                continue
            key = self.written[revision - 1]
            if revision != self.swallows and key.startswith(prefix):
                kv = {"key": v3.encoded(key), "value": v3.encoded(self.store[key])}
                yield {"result": {"events": [{"kv": {**kv, "mod_revision": str(revision)}}]}}
            revision += 1

    def found(self, address: str, body: dict[str, Any]) -> list[dict[str, str]]:
        begin = v3.decoded(body["key"])
        end = v3.decoded(body["range_end"]) if "range_end" in body else f"{begin}\0"
        keys = sorted(key for key in self.given(address) if begin <= key < end)
        return [
            {
                "key": v3.encoded(key),
                "value": v3.encoded(self.store[key]),
                "lease": self.leased.get(key, "0"),
            }
            for key in keys[: int(body.get("limit", "9999"))]
        ]

    def v2(self, address: str, method: str, path: str, form: dict[str, str]) -> Answer:
        key = urlsplit(path).path.removeprefix("/v2/keys")
        renewal = "refresh" in form
        if method == "PUT" and not renewal:
            self.store[key] = form["value"]
            return 201, {"action": "set", "node": self.node(key)}
        below = [
            self.node(each) for each in self.given(address) if key.endswith("/") and each.startswith(key)
        ]
        if below:
            return 200, {"action": "get", "node": {"key": key[:-1], "dir": True, "nodes": below}}
        if key not in self.given(address) or (renewal and self.lease_ttl is None):
            return 404, {"errorCode": 100, "message": "Key not found"}
        return 200, {"action": "get", "node": self.node(key)}

    def node(self, key: str) -> dict[str, Any]:
        return {"key": key, "value": self.store[key], "createdIndex": 3}

    def given(self, address: str) -> list[str]:
        forgotten = self.forgotten.get(address)
        return [key for key in self.store if forgotten is None or not key.endswith(forgotten)]


@contextmanager
def serving(served: Cluster) -> Iterator[Cluster]:
    """Serve a cluster at its three addresses."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for each answer
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            said = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            address = self.connection.getsockname()[0]
            token = self.headers.get("Authorization", "")
            if self.path == f"{served.gateway}watch":
                self.send_response(200)
                self.end_headers()
                for part in served.watched(address, said, token):
                    self.wfile.write(f"{json.dumps(part)}\n".encode())
                    self.wfile.flush()
                self.close_connection = True
                return
            status, answer = served.answer(address, self.command, self.path, said, token)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    servers = []
    for address in ADDRESSES:
        servers.append(ThreadingHTTPServer((address, served.port), Handler))
        served.port = servers[0].server_port
    threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield served
    finally:
        served.is_served = False
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
