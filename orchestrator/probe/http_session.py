"""A small client of etcd: one kept-alive connection over HTTP or HTTPS, requests in and JSON out."""

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from orchestrator.probe.login import Login
from orchestrator.probe.spoken import Spoken

Body = Mapping[str, Any]  # JSON
GATEWAY, OLD_GATEWAY = "/v3/", "/v3beta/"  # where etcd serves its v3 API as JSON: 3.3 has the old path alone
AUTHENTICATE = "/v3/auth/authenticate"
WANTS_LOGIN = frozenset({400, 401, 403})  # no user, a token that is not known, a user without the right


class UnansweredError(Exception):
    """An endpoint gave no answer that can be used; another one may."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a member's client API may be found, or a proxy."""

    scheme: Literal["http", "https"]
    address: str
    port: int

    @property
    def way(self) -> tuple[str, int]:
        """What it has in common with the other members' endpoints of its kind."""
        return self.scheme, self.port

    def __str__(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``answers`` are the statuses of usable answers; all others say that nobody can answer."""

    method: str
    path: str
    content: str = ""
    kind: str = "application/json"
    answers: frozenset[int] = frozenset({200})


class Session:
    """One connection to one endpoint, opened when it is first needed, and again after a failure.

    With a ``login`` it gets a token when it needs one: at first, and when a member that was restarted knows
    the old one no more.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        trust: ssl.SSLContext | None,
        *,
        timeout_s: float,
        login: Login | None = None,
        source: str = "",
        spoken: Spoken | None = None,
    ) -> None:
        self.endpoint = endpoint
        address, port, own = endpoint.address, endpoint.port, (source, 0) if source else None
        self._connection = (  # http.client sets TCP_NODELAY itself
            http.client.HTTPSConnection(address, port, timeout=timeout_s, context=trust, source_address=own)
            if endpoint.scheme == "https"
            else http.client.HTTPConnection(address, port, timeout=timeout_s, source_address=own)
        )
        self._source = source
        self._spoken = spoken or Spoken()
        self._gateway = GATEWAY
        self._login = login
        self._token = ""

    def ask(self, request: Request) -> Body:
        """Send one request and return the answer; raise UnansweredError for anything but an answer."""
        try:
            response, said = self._exchange(request)
            if response.status == 404 and request.path.startswith(GATEWAY) and self._gateway == GATEWAY:
                self._gateway = OLD_GATEWAY
                response, said = self._exchange(request)
            if response.status in WANTS_LOGIN and request.path.startswith(GATEWAY) and self._logged_in():
                response, said = self._exchange(request)
            answer = json.loads(said) if response.status in request.answers else None
        except (OSError, http.client.HTTPException, ValueError, LookupError) as cause:
            self.close()
            raise UnansweredError(_words(cause)) from cause
        if not isinstance(answer, dict):
            self.close()
            raise UnansweredError(f"HTTP {response.status}: {said[:200].decode(errors='replace').strip()}")
        return MappingProxyType(answer)

    def stream(self, request: Request) -> Iterator[Body]:
        """Send one request and yield each line of the answer as it comes; UnansweredError where it ends.

        Whoever has a login gets a token first: a watch that etcd does not allow for tells nothing for ever.
        """
        try:
            self._logged_in()
            response = self._sent(request)
            if response.status == 404 and self._gateway == GATEWAY:
                response.read()
                self._gateway = OLD_GATEWAY
                self._logged_in()
                response = self._sent(request)
            for line in response:
                self._spoken.note(self._source, self.endpoint.scheme)
                yield json.loads(line)["result"]
        except (OSError, http.client.HTTPException, ValueError, LookupError) as cause:
            raise UnansweredError(_words(cause)) from cause
        finally:
            self.close()
        raise UnansweredError("the stream has ended")

    def _logged_in(self) -> bool:
        """Get a token, if there is a login and etcd takes it."""
        if self._login is None:
            return False
        body = json.dumps({"name": self._login.user, "password": self._login.password})
        self._token = ""
        response, said = self._exchange(Request("POST", AUTHENTICATE, body))
        if response.status == 200:
            self._token = str(json.loads(said)["token"])
        return response.status == 200

    def _exchange(self, request: Request) -> tuple[http.client.HTTPResponse, bytes]:
        response = self._sent(request)
        return response, response.read()

    def _sent(self, request: Request) -> http.client.HTTPResponse:
        headers = {"Content-Type": request.kind} if request.content else {}
        headers |= {"Authorization": self._token} if self._token else {}
        path = request.path
        if path.startswith(GATEWAY):
            path = f"{self._gateway}{path.removeprefix(GATEWAY)}"
        self._connection.request(request.method, path, request.content, headers)
        self._spoken.note(self._source, self.endpoint.scheme)
        return self._connection.getresponse()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()


class ShortSession(Session):
    """A connection for each request, as curl makes from a cron job."""

    def ask(self, request: Request) -> Body:
        """Connect, send one request, close, and return the answer; or raise UnansweredError."""
        try:
            return super().ask(request)
        finally:
            self.close()


def _words(cause: Exception) -> str:
    """Say why there was no answer, as an operator says it."""
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {cause.reason or cause}"
    if isinstance(cause, ConnectionResetError | BrokenPipeError | http.client.RemoteDisconnected):
        return "the connection was closed without an answer"
    if isinstance(cause, OSError):
        return (cause.strerror or str(cause)).lower()
    return f"no answer of etcd's: {cause}"


def trusting(ca: str, certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """Return what a TLS client needs that trusts one authority and may show a certificate of its own."""
    context = ssl.create_default_context(cafile=ca)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context
