"""Showing what happens while it happens: a table at a terminal's lower end, lines for each change elsewhere.

Whatever is shown is made in a thread of its own: nothing that is slow, closed or wrong here can stop a run,
or hold it up for more than a second.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from queue import Empty, SimpleQueue

from orchestrator.engine.events import Event, RunEnded, StepStarted, Waiting, now
from orchestrator.output import Part, Styled, Terminal, draw, err, terminal
from orchestrator.report import sentences
from orchestrator.report.reasons import Reasons
from orchestrator.report.view import View
from orchestrator.text import escaped

_FRAME_S = 0.5  # a table is drawn anew so often, and whenever something happens
_HEARTBEAT_S = 30.0  # where there is no table, a line says so often what is under way
_LAST_S = 1.0  # so long a run waits for what happened to be reported

Past = Callable[[], View | None]


class Live:
    """Shows a run to people on standard error.

    ``past`` is the run as its state file tells it by the first event, asked until there is one.
    ``heartbeat_s`` is how long nothing is said where there is no table.
    """

    def __init__(
        self, past: Past, clock: Callable[[], datetime] = now, heartbeat_s: float = _HEARTBEAT_S
    ) -> None:
        self._past, self._clock, self._heartbeat_s = past, clock, heartbeat_s
        self._has_past = False
        self._view: View | None = None
        self._reasons = Reasons()
        self._heard: SimpleQueue[tuple[Event, View | None] | None] = SimpleQueue()
        self._is_told, self._is_late = threading.Event(), False
        self._said_at = clock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def showing(self) -> Iterator[Callable[[Event], None]]:
        """Yield what takes an event; at the end everything that happened is shown, and the table is gone."""
        try:
            yield self.take
        finally:
            if self._thread:
                self._heard.put(None)
                self._thread.join(_LAST_S)

    def take(self, event: Event) -> None:
        """Take one more event in, and wait until it is reported: what the run prints next stands behind it.

        Who is late once is not waited for again.
        """
        past = None if self._has_past else self._past()
        self._has_past = self._has_past or past is not None
        if self._thread is None:
            self._thread = threading.Thread(target=self._show, daemon=True, name="live")
            self._thread.start()
        self._is_told.clear()
        self._heard.put((event, past))
        if not self._is_late:
            self._is_late = not self._is_told.wait(_LAST_S)

    def _show(self) -> None:
        while True:
            try:
                heard = self._heard.get(timeout=_FRAME_S)
            except Empty:
                self._pulse()
                continue
            if heard is None:
                draw(())
                return
            event, past = heard
            self._view = past or (self._view.after(event) if self._view else None)
            self._tell(event)
            self._is_told.set()
            if self._heard.empty():
                self._pulse()

    def _tell(self, event: Event) -> None:
        """Print a change; some of them a table shows by itself, and the same reasons again are no news."""
        is_news, view, shown_on = self._reasons.are_news(event), self._view, terminal()
        if not is_news:
            return
        if isinstance(event, RunEnded):
            self._leave()
        is_drawn = view is not None and view.began is not None and view.ended is None and shown_on is not None
        if isinstance(event, Waiting) and not is_drawn:
            self._print(event.at, sentences.waiting(event))
        elif view is not None and not (is_drawn and isinstance(event, StepStarted | Waiting)):
            self._print(event.at, sentences.of_event(event, view))

    def _leave(self) -> None:
        """Leave the table as it is at the end."""
        draw(())
        view, shown_on = self._view, terminal()
        if view is not None and shown_on is not None:
            for line in _table(view, self._clock(), replace(shown_on, is_painted=False)):
                err(line)

    def _print(self, at: datetime, parts: tuple[Part, ...]) -> None:
        if parts:
            self._said_at = self._clock()
            run = f" {self._view.course.opened.run}" if self._view else ""
            err(Styled(f"{at.astimezone():%H:%M:%S}{run}", "dim"), " ", *map(_on_one_line, parts))

    def _pulse(self) -> None:
        """Draw the table anew, or say after a while of silence what is under way."""
        view, at, shown_on = self._view, self._clock(), terminal()
        if view is None or view.began is None or view.ended is not None:
            return
        if shown_on is not None:
            draw(_table(view, at, shown_on))
        elif sentences.age_s(self._said_at, at) >= self._heartbeat_s:
            self._print(at, (sentences.in_flight(view, at),))


def _table(view: View, at: datetime, shown_on: Terminal) -> Sequence[str]:
    from orchestrator.report import board  # noqa: PLC0415 -- only at a terminal what draws tables is needed

    return board.lines(view, at, shown_on.columns - 1, shown_on.rows, is_painted=shown_on.is_painted)


def _on_one_line(part: Part) -> Part:
    if isinstance(part, Styled):
        return Styled(escaped(part.text, keep=""), part.style)
    return escaped(part, keep="")
