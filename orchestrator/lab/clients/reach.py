"""How a client of the cluster comes to the members: which endpoints it knows, and when it changes them."""

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from orchestrator.lab.clients import v3
from orchestrator.lab.clients.failover import FailoverClient, LoyalClient, MovingClient
from orchestrator.lab.clients.http_session import (
    Endpoint,
    Request,
    Session,
    ShortSession,
    UnansweredError,
)
from orchestrator.lab.clients.way import Stage, Way
from orchestrator.lab.provisioning.login import Login

Kind = Literal["moving", "plain", "synced"]
SYNC_PAUSE_S = 2.0
Choice = Callable[[], Sequence[Session]]
"""What to use now, in the order of preference: another answer than before says that it has changed."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The members' addresses and client port, what to trust and show over TLS.

    ``endpoints``, if there are any, are what a loyal client uses instead of the members. ``patience_s`` is
    for one request on all endpoints together, ``try_timeout_s`` for one try. ``login`` is who they are.
    A client that is ``plain`` knows http alone; one that is ``moving`` uses http for as long as anyone
    answers there, or until its way says that https is served beside it; one that is ``synced`` uses what the
    members are registered with. With ``is_short`` it connects for each request.
    """

    addresses: tuple[str, ...]
    port: int
    trust: ssl.SSLContext
    try_timeout_s: float
    endpoints: tuple[Endpoint, ...] = ()
    patience_s: float = 5.0
    login: Login | None = None
    kind: Kind = "moving"
    is_short: bool = False
    extra_port: int | None = None
    way: Way | None = None
    registry: Request = v3.MEMBERS

    def member(self, address: str) -> tuple[Session, Session]:
        """Return sessions with one member: over HTTP, and over HTTPS."""
        return (
            self.session(Endpoint("http", address, self.port)),
            self.session(Endpoint("https", address, self.port)),
        )

    def choice(self) -> Choice:
        """Return what tells a client its sessions; they are nobody else's."""
        if self.kind == "synced":
            return Synced(self)
        both = [self.member(address) for address in self.addresses]
        plain = tuple(http for http, _ in both)
        if self.kind == "plain":
            return lambda: plain
        sessions = (*plain, *(https for _, https in both))
        if self.way is None:
            return lambda: sessions
        if self.extra_port is not None:
            extra = (Endpoint("https", address, self.extra_port) for address in self.addresses)
            sessions = (*sessions, *map(self.session, extra))
        return Ranked(sessions, self.way)

    def client(self) -> FailoverClient:
        """Return a loyal client of the endpoints; without them, a client of all members."""
        if self.endpoints:
            own = [self.session(each) for each in self.endpoints]
            return LoyalClient(own, patience_s=self.patience_s, clock=time.monotonic, sleep=time.sleep)
        return MovingClient(self.choice(), patience_s=self.patience_s, clock=time.monotonic, sleep=time.sleep)

    def session(self, endpoint: Endpoint) -> Session:
        """Return a session with an endpoint."""
        made = ShortSession if self.is_short else Session
        return made(endpoint, self.trust, timeout_s=self.try_timeout_s, login=self.login)

    def answers(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint gives its version."""
        session = Session(endpoint, self.trust, timeout_s=self.try_timeout_s)
        try:
            session.ask(Request("GET", "/version"))
        except UnansweredError:
            return False
        finally:
            session.close()
        return True


class Ranked:
    """Sessions in the order that a way prefers now."""

    def __init__(self, sessions: Sequence[Session], way: Way) -> None:
        self._sessions = tuple(sessions)
        self._way = way
        self._stage: Stage | None = None

    def __call__(self) -> Sequence[Session]:
        """Return them; the order changes with the way's stage alone."""
        if self._stage is not self._way.stage:
            self._stage = self._way.stage
            self._sessions = tuple(sorted(self._sessions, key=lambda each: self._way.rank(each.endpoint)))
        return self._sessions


@dataclass(slots=True)
class Synced:
    """Sessions with what the members are registered with, asked for every few seconds, as AutoSync does.

    It begins with the members' http URLs. While nobody gives the list, the last one is used.
    """

    reach: Reach
    sessions: tuple[Session, ...] = ()
    due: float = field(default_factory=lambda: time.monotonic() + SYNC_PAUSE_S)

    def __post_init__(self) -> None:
        """Begin with http."""
        self.sessions = tuple(self.reach.member(address)[0] for address in self.reach.addresses)

    def __call__(self) -> Sequence[Session]:
        """Return them, and ask for the list first if it is time."""
        if time.monotonic() >= self.due:
            listed = self._listed()
            known = {each.endpoint: each for each in self.sessions}
            if listed and set(listed) != set(known):
                self.sessions = tuple(known.get(each) or self.reach.session(each) for each in listed)
            self.due = time.monotonic() + SYNC_PAUSE_S
        return self.sessions

    def _listed(self) -> list[Endpoint]:
        for each in self.sessions:
            session = self.reach.session(each.endpoint)  # a watch may be busy on the other
            try:
                answer = session.ask(self.reach.registry)
                return [
                    endpoint_of(url) for member in answer["members"] for url in member.get("clientURLs", ())
                ]
            except UnansweredError:
                continue
            finally:
                session.close()
        return []


def endpoint_of(text: str) -> Endpoint:
    """Read a URL, or raise ValueError."""
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or not url.port:
        raise ValueError(f"{text!r} is not like http://127.0.0.1:4001")
    return Endpoint("https" if url.scheme == "https" else "http", url.hostname, url.port)
