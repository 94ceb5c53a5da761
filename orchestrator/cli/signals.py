"""What signals do to a command: it leaves at once while it only looks, and stops in good order in a run."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType

from orchestrator import output
from orchestrator.cli import streams
from orchestrator.interrupt import InterruptedAtOnce, Moment

_UNWIND_S = 0.5  # connections and the state file are closed within that, or left as they are
_READER_S = 5.0  # so long a reader that takes nothing keeps the end of a run waiting
STOPPING = (signal.SIGINT, signal.SIGTERM)

Handler = Callable[[int, FrameType | None], object]


class Stop:
    """What signals do: leave at once while a command only looks, stop before the next step of a run.

    The second one always leaves at once. SIGHUP, and writing to a terminal that is not ours, stop nothing.
    """

    def __init__(self) -> None:
        self._moment = Moment()
        self._flight: object = ""
        self._advice: Callable[[], str] = str
        self.signal: int | None = None

    def know(self, moment: Moment, flight: object, advice: Callable[[], str]) -> None:
        """Learn what is to be said; ``advice`` is what to do after being left at once."""
        self._moment, self._flight, self._advice = moment, flight, advice

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Answer signals until the command is over."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with handled(self._ask, *STOPPING):
            try:
                yield
            finally:
                if self._moment.has_changed:
                    streams.hurry(_READER_S)

    def is_asked(self) -> bool:
        """Whether a signal has asked to stop before the next step."""
        return self.signal is not None

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self.is_asked():
            os._exit(128 + number)
        self.signal = number
        if self._moment.is_orderly:
            output.err(f"{self._flight}; press again to leave now (the run can be resumed)")
            return
        output.err(f"interrupted; {self._moment.truth}.{self._advice()}")
        signal.signal(signal.SIGALRM, lambda *_: self._leave(128 + number))
        signal.setitimer(signal.ITIMER_REAL, _UNWIND_S)
        raise InterruptedAtOnce(128 + number)

    def _leave(self, exit_code: int) -> None:
        for last in self._moment.on_leaving:
            with contextlib.suppress(OSError):
                last()
        os._exit(exit_code)


@contextlib.contextmanager
def handled(handler: Handler, *numbers: signal.Signals) -> Iterator[None]:
    """Answer these signals with that handler meanwhile, and as before afterwards."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
