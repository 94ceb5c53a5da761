"""What takes time between two events of a walk: jobs on hosts, and waits with their reasons."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from orchestrator.engine.events import Span, SpanKind, Waiting, Walked, now
from orchestrator.engine.wait import Report

_MOST = 20  # reasons of one wait that are noted
_LONGEST = 500  # characters of each

Noted = TypeVar("Noted", bound=Walked)


class Spans:
    """Spans that came to their end since the last event; they are noted with the next one.

    ``clock`` counts seconds, ``narrate`` hears of a wait while it lasts.
    """

    def __init__(self, clock: Callable[[], float], narrate: Callable[[Waiting], None]) -> None:
        self._clock = clock
        self._narrate = narrate
        self._ended: list[Span] = []

    @contextmanager
    def job(self, host: str) -> Iterator[None]:
        """Note how long a job takes on its host, connection and all."""
        at, began = now(), self._clock()
        try:
            yield
        finally:
            self._end(Span(kind="job", at=at, took_s=self._since(began), host=host))

    @contextmanager
    def wait(self, kind: SpanKind, host: str | None = None) -> Iterator[Report]:
        """Give what is to be reported while one waits; nothing is noted if it is never reported."""
        reported: list[tuple[Waiting, float]] = []

        def report(reasons: tuple[str, ...]) -> None:
            event = Waiting(reasons=reasons)
            reported.append((event, self._clock()))
            del reported[1:-1]  # the first says since when, the last for what
            self._narrate(event)

        try:
            yield report
        finally:
            if reported:
                (first, began), (last, _) = reported[0], reported[-1]
                took_s, reasons = self._since(began), _bounded(last.reasons)
                self._end(Span(kind=kind, at=first.at, took_s=took_s, host=host, reasons=reasons))

    def cut_off(self, reasons: tuple[str, ...]) -> None:
        """Note who loses by what comes next, where somebody goes on all the same."""
        self._end(Span(kind="cut-off", at=now(), took_s=0.0, reasons=_bounded(reasons)))

    def noted(self, event: Noted) -> Noted:
        """Return an event with what came to its end before it, but for what is another host's.

        Steps may be under way on several hosts: each has its own spans.
        """
        host = getattr(event, "host", None)
        ended = tuple(span for span in self._ended if host is None or span.host in {None, host})
        self._ended = [span for span in self._ended if span not in ended]
        return event.model_copy(update={"spans": ended}) if ended else event

    def _end(self, span: Span) -> None:
        self._ended.append(span)

    def _since(self, began: float) -> float:
        return round(max(self._clock() - began, 0.0), 3)


def _bounded(reasons: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(reason[:_LONGEST] for reason in reasons[:_MOST])
