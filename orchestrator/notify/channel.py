"""The way of a run's events to one place, in a thread of its own: it never holds the run up."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from orchestrator.report.event_lines import EventLine
from orchestrator.report.view import View

MOST = 1000  # events that wait for their turn; the next ones are dropped, and counted
_LAST_S = 1.0  # so long a place may take to stop


class NotSentError(Exception):
    """An event did not arrive; its text says why."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An event, and the run as it is with it; None before a run has begun."""

    line: EventLine
    view: View | None


class Place(Protocol):
    """Where events go. All but ``stop`` is called by one thread alone."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def is_sent_at_end(self) -> bool:
        """Whether events are only kept, and all of them delivered as it is closed."""

    def send(self, notice: Notice) -> None:
        """Deliver an event; raises NotSentError or OSError."""

    def close(self) -> None:
        """Do what is left to do behind the last event; raises the same."""

    def stop(self) -> None:
        """End at once what is under way."""


class Channel:
    """Takes events for a place and never waits; what goes wrong is said once, and counted at the end."""

    def __init__(self, place: Place, warn: Callable[[str], None], most: int = MOST) -> None:
        self._place, self._warn, self._most = place, warn, most
        self._queue: SimpleQueue[Notice | None] = SimpleQueue()
        self._given = self._kept = self._arrived = 0
        self._has_failed = self._is_stopped = False
        self._thread = threading.Thread(target=self._work, daemon=True, name="notify")
        self._thread.start()

    @property
    def name(self) -> str:
        """What messages call the place."""
        return self._place.name

    def put(self, notice: Notice) -> None:
        """Take an event, or drop it if too many wait."""
        self._given += 1
        if self._queue.qsize() < self._most:
            self._queue.put(notice)

    def is_done_within(self, timeout_s: float) -> bool:
        """Wait for what is under way, and say whether everything was taken."""
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def finish(self) -> None:
        """Take no more events."""
        self._queue.put(None)

    def end(self) -> None:
        """End what is still under way, and say how many events did not arrive."""
        if not self.is_done_within(0):
            self._is_stopped = True
            self._place.stop()
            self.is_done_within(_LAST_S)
        lost = self._given - self._arrived
        if lost:
            self._warn(f"{self.name}: {lost} of {self._given} events did not arrive; the state file has all")

    def _work(self) -> None:
        while (notice := self._queue.get()) is not None and not self._is_stopped:
            if self._does(lambda notice=notice: self._place.send(notice)):  # type: ignore[misc] # bound at once
                self._kept += 1
                self._arrived += not self._place.is_sent_at_end
        is_closed = not self._is_stopped and self._does(self._place.close)
        if self._place.is_sent_at_end and is_closed:
            self._arrived = self._kept

    def _does(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except Exception as error:  # noqa: BLE001 -- nothing here may stop a run, our bugs neither
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            if not self._has_failed:
                self._warn(f"{self.name}: {reason}. The run is not affected")
            self._has_failed = True
            return False
        return True


def end_all(channels: tuple[Channel, ...], warn: Callable[[str], None], patience_s: float) -> None:
    """Wait so long for all channels together; what has not arrived by then is given up, and counted."""
    deadline = time.monotonic() + patience_s
    for channel in channels:
        channel.finish()
    for channel in channels:
        if not channel.is_done_within(min(1.0, deadline - time.monotonic())):
            left_s = max(0.0, deadline - time.monotonic())
            warn(f"{channel.name}: not done yet; waiting for {left_s:.0f} s at most")
            channel.is_done_within(left_s)
        channel.end()
