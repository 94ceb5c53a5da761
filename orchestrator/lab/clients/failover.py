"""Clients of several endpoints: how they reach them, which one they use, what they do when it fails."""

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from orchestrator.lab.clients.http_session import Body, Endpoint, Request, Session, UnansweredError
from orchestrator.lab.provisioning.login import Login

BREATH_S = 0.02  # pause after a whole round of endpoints that did not answer


class Asking(Protocol):
    """What a client needs of a session."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it leads."""

    def ask(self, request: Request) -> Body:
        """Send one request and return the answer, or raise UnansweredError."""

    def close(self) -> None:
        """Close the connection, if there is one."""


class FailoverClient:
    """It stays with one endpoint until that fails, then goes at once to the next; ``failovers`` counts that.

    ``sessions`` are in the order of preference, ``patience_s`` is for one request with all its repetitions.
    """

    def __init__(
        self,
        sessions: Sequence[Asking],
        *,
        patience_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._sessions = tuple(sessions)
        self._current = 0
        self._patience_s = patience_s
        self._clock = clock
        self._sleep = sleep
        self.failovers = 0
        self.last_refusal = ""

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that this client stays with now."""
        return self._sessions[self._current].endpoint

    def ask(self, request: Request) -> Body | None:
        """Return the first answer that any endpoint gives, or None if none did in time."""
        deadline = self._clock() + self._patience_s
        refused = 0
        while True:
            session = self._sessions[self._current]
            try:
                return session.ask(request)
            except UnansweredError as cause:
                self.last_refusal = f"{session.endpoint}: {cause}"
            refused += 1
            self.failovers += 1
            self._current = (self._current + 1) % len(self._sessions)
            if self._clock() >= deadline:
                return None
            if refused % len(self._sessions) == 0:
                self._sleep(BREATH_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions:
            session.close()


class LoyalClient(FailoverClient):
    """It wants its first endpoint and, once that has answered, no other: it retries until patience ends.

    Until then it uses the others, but probes at the first before each request.
    """

    def ask(self, request: Request) -> Body | None:
        """Return an answer of the first endpoint, or of another while the first has never answered."""
        self._current = 0
        answer = super().ask(request)
        if answer is not None and self._current == 0:
            for session in self._sessions[1:]:
                session.close()
            self._sessions = self._sessions[:1]
        return answer


@dataclass(frozen=True, slots=True)
class Reach:
    """The members' addresses and client port, what to trust and show over TLS.

    ``endpoints``, if there are any, are what a loyal client uses instead of the members. ``patience_s`` is
    for one request on all endpoints together, ``try_timeout_s`` for one try. ``login`` is who they are.
    """

    addresses: tuple[str, ...]
    port: int
    trust: ssl.SSLContext
    try_timeout_s: float
    endpoints: tuple[Endpoint, ...] = ()
    patience_s: float = 5.0
    login: Login | None = None

    def member(self, address: str) -> tuple[Session, Session]:
        """Return sessions with one member: over HTTP, and over HTTPS."""
        return (
            self._session(Endpoint("http", address, self.port)),
            self._session(Endpoint("https", address, self.port)),
        )

    def sessions(self) -> tuple[Session, ...]:
        """Return sessions with all members: over HTTP, then over HTTPS."""
        both = [self.member(address) for address in self.addresses]
        return (*(http for http, _ in both), *(https for _, https in both))

    def client(self) -> FailoverClient:
        """Return a loyal client of the endpoints; without them, a client of all members.

        That one goes over HTTP for as long as anyone answers there, then over HTTPS.
        """
        if self.endpoints:
            own = [self._session(each) for each in self.endpoints]
            return LoyalClient(own, patience_s=self.patience_s, clock=time.monotonic, sleep=time.sleep)
        return FailoverClient(
            self.sessions(), patience_s=self.patience_s, clock=time.monotonic, sleep=time.sleep
        )

    def _session(self, endpoint: Endpoint) -> Session:
        return Session(endpoint, self.trust, timeout_s=self.try_timeout_s, login=self.login)
