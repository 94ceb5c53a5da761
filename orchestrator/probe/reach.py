"""How a client of the cluster comes to the members: which endpoints it knows, and when it changes them."""

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from orchestrator.probe import v3
from orchestrator.probe.failover import FailoverClient, LoyalClient, MovingClient, TouringClient, fair
from orchestrator.probe.http_session import (
    Endpoint,
    Request,
    Session,
    ShortSession,
    UnansweredError,
)
from orchestrator.probe.login import Login
from orchestrator.probe.spoken import Spoken
from orchestrator.probe.way import Stage, Way

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
    members are registered with. With ``is_short`` it connects for each request. It comes from the address
    ``source``, if it has one of its own, and notes in ``spoken`` when it speaks plain http. With ``heard`` it
    begins each request with another member, tells of each endpoint that gave no answer, and gives up where
    ``watch`` says that the cluster is not to blame any more.
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
    source: str = ""
    spoken: Spoken = field(default_factory=Spoken)
    heard: Callable[[Endpoint, str], None] | None = None
    clock: Callable[[], float] = time.monotonic
    watch: Callable[[], Callable[[], bool]] = fair

    def of(self, addresses: tuple[str, ...]) -> "Reach":
        """Return the same for some of the members."""
        return replace(self, addresses=addresses)

    def member(self, address: str) -> tuple[Session, Session]:
        """Return sessions with one member: over HTTP, and over HTTPS."""
        return (
            self.session(Endpoint("http", address, self.port)),
            self.session(Endpoint("https", address, self.port)),
        )

    def listeners(self, address: str) -> tuple[Endpoint, ...]:
        """Return every endpoint at which a member may listen: http first, https beside it last."""
        extra = () if self.extra_port is None else (Endpoint("https", address, self.extra_port),)
        return (Endpoint("http", address, self.port), Endpoint("https", address, self.port), *extra)

    def ways_now(self, address: str) -> tuple[Session, ...]:
        """Return sessions with one member, best first; over http only while the way leads there."""
        if self.way is None:
            return self.member(address)
        may_be_plain = self.way.stage is Stage.HTTP
        ways = (each for each in self.listeners(address) if may_be_plain or each.scheme == "https")
        return tuple(map(self.session, sorted(ways, key=self.way.rank)))

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
            return LoyalClient(own, patience_s=self.patience_s, clock=self.clock, sleep=time.sleep)
        if self.heard is not None:
            return TouringClient(
                self.choice(),
                self.heard,
                patience_s=self.patience_s,
                clock=self.clock,
                sleep=time.sleep,
                watch=self.watch,
            )
        return MovingClient(self.choice(), patience_s=self.patience_s, clock=self.clock, sleep=time.sleep)

    def session(self, endpoint: Endpoint) -> Session:
        """Return a session with an endpoint."""
        made = ShortSession if self.is_short else Session
        return made(
            endpoint,
            self.trust,
            timeout_s=self.try_timeout_s,
            login=self.login,
            source=self.source,
            spoken=self.spoken,
        )

    def answers(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint gives its version."""
        return not self.silence(endpoint)

    def silence(self, endpoint: Endpoint) -> str:
        """Say why an endpoint does not give its version; nothing if it does."""
        session = Session(endpoint, self.trust, timeout_s=self.try_timeout_s, spoken=self.spoken)
        try:
            session.ask(Request("GET", "/version"))
        except UnansweredError as cause:
            return str(cause)
        finally:
            session.close()
        return ""


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
