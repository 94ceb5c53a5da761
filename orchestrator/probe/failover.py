"""Clients of several endpoints: how they reach them, which one they use, what they do when it fails."""

from collections.abc import Callable, Sequence
from typing import Protocol, Self

from orchestrator.probe.http_session import Body, Endpoint, Request, UnansweredError

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


def fair() -> Callable[[], bool]:
    """Watch over an operation for which nobody but the cluster can be to blame."""
    return lambda: True


class FailoverClient:
    """It stays with one endpoint until that fails, then goes at once to the next; ``failovers`` counts that.

    ``sessions`` are in the order of preference, ``patience_s`` is for one request with all its repetitions.
    ``watch`` begins to watch over one, and returns what tells whether it is to go on.
    """

    def __init__(
        self,
        sessions: Sequence[Asking],
        *,
        patience_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        watch: Callable[[], Callable[[], bool]] = fair,
    ) -> None:
        self._sessions = tuple(sessions)
        self._watch = watch
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
        deadline, is_fair = self._clock() + self._patience_s, self._watch()
        refused = 0
        while True:
            self._choose()
            session = self._sessions[self._current]
            try:
                return session.ask(request)
            except UnansweredError as cause:
                self.last_refusal = f"{session.endpoint}: {cause}"
                self._refused(session.endpoint, str(cause))
            refused += 1
            self.failovers += 1
            self._current = (self._current + 1) % len(self._sessions)
            if self._clock() >= deadline or not is_fair():
                return None
            if refused % len(self._sessions) == 0:
                self._sleep(BREATH_S)

    def _choose(self) -> None:
        """Look before each try whether other endpoints are the right ones now."""

    def _refused(self, endpoint: Endpoint, reason: str) -> None:
        """Hear that an endpoint gave no answer, and why."""

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


class MovingClient(FailoverClient):
    """It asks before each try what to use; when that changes, it closes all and begins with the first.

    Where the first is https, http is the last resort: the next request begins with the first again.
    """

    def __init__(
        self,
        choice: Callable[[], Sequence[Asking]],
        *,
        patience_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        watch: Callable[[], Callable[[], bool]] = fair,
    ) -> None:
        super().__init__(choice(), patience_s=patience_s, clock=clock, sleep=sleep, watch=watch)
        self._choice = choice

    def ask(self, request: Request) -> Body | None:
        """Return the first answer that any endpoint gives, or None if none did in time."""
        if self.endpoint.scheme == "http" and self._sessions[0].endpoint.scheme == "https":
            self._current = 0
        return super().ask(request)

    def _choose(self) -> None:
        chosen = tuple(self._choice())
        if chosen != self._sessions:
            self.close()
            self._sessions, self._current = chosen, 0


class TouringClient(MovingClient):
    """It begins each request with the next of those that are best now, so that every member is used.

    ``heard`` hears of each endpoint that gave no answer, and why.
    """

    def __init__(
        self,
        choice: Callable[[], Sequence[Asking]],
        heard: Callable[[Endpoint, str], None],
        *,
        patience_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        watch: Callable[[], Callable[[], bool]],
    ) -> None:
        super().__init__(choice, patience_s=patience_s, clock=clock, sleep=sleep, watch=watch)
        self._heard = heard
        self._turn = 0

    def ask(self, request: Request) -> Body | None:
        """Return the first answer, beginning with whoever's turn it is."""
        self._choose()
        first = self._sessions[0].endpoint
        best = [one for one in self._sessions if one.endpoint.way == first.way]
        self._current = self._turn % len(best)
        self._turn += 1
        return FailoverClient.ask(self, request)

    def _refused(self, endpoint: Endpoint, reason: str) -> None:
        self._heard(endpoint, reason)
