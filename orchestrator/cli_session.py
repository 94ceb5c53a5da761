"""What the command line's commands share: a session with its pace, signals, and the person to ask."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from orchestrator import output, streams
from orchestrator.errors import (
    LockedError,
    OrchestratorError,
    PersonNeededError,
    RefusedError,
    RunInterruptedError,
    RunTerminatedError,
    StoppedError,
    UsageError,
)
from orchestrator.interrupt import InterruptedAtOnce, Moment

if TYPE_CHECKING:
    from orchestrator.engine.events import Event
    from orchestrator.engine.pace import Pace
    from orchestrator.engine.progress import Progress
    from orchestrator.session import Session

_UNWIND_S = 0.5  # connections and the state file are closed within that, or left as they are
_READER_S = 5.0  # so long a reader that takes nothing keeps the end of a run waiting
_STOPPING = (signal.SIGINT, signal.SIGTERM)

Handler = Callable[[int, FrameType | None], object]


def confirm(question: str) -> bool:
    """Ask the person at the terminal; UsageError if there is none. The end of input is a no."""
    if sys.stdin is None or not sys.stdin.isatty() or streams.is_out_lost():
        raise UsageError("nobody is there to ask: say --yes to go on without a question")

    def leave(number: int, _frame: FrameType | None) -> None:
        output.err("\ninterrupted; nothing was changed")
        raise InterruptedAtOnce(128 + number)

    with _handled(leave, *_STOPPING):
        while True:
            output.out(f"{question} [y/N]: ", end="")
            try:
                answer = sys.stdin.readline()
            except OSError:  # the terminal is gone
                answer = ""
            match answer.strip().lower():
                case "y" | "yes":
                    return True
                case "" | "n" | "no":
                    if not answer.endswith("\n"):
                        output.out()
                    return False
                case _:
                    output.err("please answer y or n")


@contextlib.contextmanager
def session_of(plan: Path, state: Path | None, verb: str = "") -> "Iterator[tuple[Session, Pace]]":
    """Open a session for one command, and add the command to go on with to what stops it.

    ``verb`` is the command's own, if it walks.
    """
    from orchestrator.engine.pace import Pace  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.report import live  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.report.flight import Flight  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.session import open_session  # noqa: PLC0415 -- see the module's docstring

    live.configure(people=sys.stderr.isatty())
    stop = _Stop()
    with stop.listening(), open_session(plan, state) as session:
        for warning in session.warnings:
            output.err(f"warning: {warning}")
        patience, tell = session.cluster.patience, live.narrator()
        flight = Flight(patience.gate_s)

        def narrate(event: "Event") -> None:
            flight.take(event)
            tell(event)

        def again() -> str:
            progress = _progress(session)
            if progress.opened is None or progress.is_rolled_back:
                return session.command("check")  # which names a run whose file was lost, or what is wrong
            return session.command(verb) if verb == "rollback" else session.resume_command

        def advice() -> str:
            return f" Go on with: {again()}" if verb and _progress(session).attempts else ""

        stop.know(session.moment, flight if verb else "finishing what is under way", advice)
        try:
            yield session, Pace(patience, should_stop=stop.is_asked, narrate=narrate)
        except (StoppedError, PersonNeededError, RunInterruptedError) as error:
            is_terminated = isinstance(error, RunInterruptedError) and stop.signal == signal.SIGTERM
            kind = RunTerminatedError if is_terminated else type(error)
            raise kind(f"{session.spelled(str(error))}. Go on with: {again()}") from error
        except (RefusedError, LockedError) as error:
            raise type(error)(session.spelled(str(error))) from error


def _progress(session: "Session") -> "Progress":
    """Read how far the state file's run has come; a file that cannot be read says nothing."""
    from orchestrator.commands.standing import read_progress  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.engine.progress import Progress  # noqa: PLC0415 -- see the module's docstring

    try:
        return read_progress(session)
    except OrchestratorError:
        return Progress()


class _Stop:
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
    def listening(self) -> "Iterator[None]":
        """Answer signals until the command is over."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with _handled(self._ask, *_STOPPING):
            try:
                yield
            finally:
                if self._moment.has_changed:
                    streams.hurry(_READER_S)

    def is_asked(self) -> bool:
        return self.signal is not None

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self.is_asked():
            os._exit(128 + number)
        self.signal = number
        if self._moment.is_orderly:
            output.err(f"{self._flight}; once more to leave at once (it can be resumed)")
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
def _handled(handler: Handler, *numbers: signal.Signals) -> "Iterator[None]":
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
