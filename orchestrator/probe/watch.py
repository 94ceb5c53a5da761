"""A watch on all keys below a prefix: where it ends, another endpoint goes on behind what was seen."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from orchestrator.probe.failover import BREATH_S
from orchestrator.probe.history import Event
from orchestrator.probe.http_session import Body, Endpoint, Request, UnansweredError


class Streaming(Protocol):
    """What a watch needs of a session."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it leads."""

    def stream(self, request: Request) -> Iterator[Body]:
        """Send one request and yield each part of its answer, or raise UnansweredError."""

    def close(self) -> None:
        """Close the connection, if there is one."""


class Watching(Protocol):
    """An API of etcd's that numbers its writes and lets them be watched, as the module v3 speaks it."""

    def revision(self, answer: Body) -> int:
        """Return the store's revision as an answer tells it; behind a write, that is the write's own."""

    def watch(self, prefix: str, revision: int) -> Request:
        """Ask for every write below a prefix, from a revision on."""

    def events(self, part: Body) -> tuple[Event, ...]:
        """Return the writes that a part of the answer tells of."""


class Watch:
    """Follows a prefix behind a revision; ``events`` are in the order in which they came.

    ``choice`` gives the sessions to use now, in the order of preference; when they change, it goes on there.
    """

    def __init__(
        self, choice: Callable[[], Sequence[Streaming]], api: Watching, prefix: str, after: int
    ) -> None:
        self.events: list[Event] = []
        self._choice = choice
        self._api = api
        self._prefix = prefix
        self._seen = after
        self._moved = threading.Condition()
        self._is_enough = threading.Event()

    def follow(self) -> None:
        """Follow until it is enough."""
        turn, chosen = 0, self._choice()
        while not self._is_enough.is_set():
            if chosen != self._choice():
                turn, chosen = 0, self._choice()
            ways = _preferred(chosen)
            session = ways[turn % len(ways)]
            try:
                self._follow(session, chosen)
            except UnansweredError:
                turn += 1
                self._is_enough.wait(BREATH_S)
            finally:
                session.close()

    def see(self, revision: int, patience_s: float) -> None:
        """Wait until that revision was delivered; then it is enough."""
        with self._moved:
            self._moved.wait_for(lambda: self._seen >= revision, patience_s)
        self._is_enough.set()

    def _follow(self, session: Streaming, chosen: Sequence[Streaming]) -> None:
        for part in session.stream(self._api.watch(self._prefix, self._seen + 1)):
            events = self._api.events(part)
            if events:
                with self._moved:
                    self.events += events
                    self._seen = events[-1].revision
                    self._moved.notify_all()
            if self._is_enough.is_set() or chosen != self._choice():
                return


def _preferred(chosen: Sequence[Streaming]) -> Sequence[Streaming]:
    """Return what to follow over: who has come to https does not go back since nothing happens."""
    secure = [each for each in chosen if each.endpoint.scheme == "https"]
    return secure if list(chosen[:1]) == secure[:1] else chosen
