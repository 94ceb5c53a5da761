"""What the command line's commands share: a session with its pace, signals, and the person to ask."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orchestrator.errors import (
    PersonNeededError,
    RunInterruptedError,
    RunTerminatedError,
    StoppedError,
    UsageError,
)

if TYPE_CHECKING:
    from orchestrator.engine.events import Event
    from orchestrator.engine.pace import Pace
    from orchestrator.session import Session


def confirm(question: str) -> bool:
    """Ask the person at the terminal; UsageError if there is none."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to ask: say --yes to go on without a question")
    return typer.confirm(question)


@contextlib.contextmanager
def session_of(plan: Path, state: Path | None, verb: str = "run") -> "Iterator[tuple[Session, Pace]]":
    """Open a session for one command, and add the command to go on with to what stops it."""
    from orchestrator.engine.pace import Pace  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.report import live  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.report.flight import Flight  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.session import open_session  # noqa: PLC0415 -- see the module's docstring

    people = sys.stderr.isatty()
    live.configure(people=people, colors=people and "NO_COLOR" not in os.environ)
    with open_session(plan, state) as session:
        for warning in session.warnings:
            typer.echo(f"warning: {warning}", err=True)
        patience, tell = session.cluster.patience, live.narrator()
        flight = Flight(patience.gate_s)

        def narrate(event: "Event") -> None:
            flight.take(event)
            tell(event)

        stop = _Stop(flight)
        try:
            yield session, Pace(patience, should_stop=stop.is_asked, narrate=narrate)
        except (StoppedError, PersonNeededError, RunInterruptedError) as error:
            again = session.resume_command if verb == "run" else session.command(verb)
            is_terminated = isinstance(error, RunInterruptedError) and stop.signal == signal.SIGTERM
            kind = RunTerminatedError if is_terminated else type(error)
            raise kind(f"{error}. Go on with: {again}") from error


class _Stop:
    """First Ctrl-C or SIGTERM: stop before the next step. Second: leave at once. SIGHUP: carry on."""

    def __init__(self, flight: object) -> None:
        self._flight = flight
        self.signal: int | None = None
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def is_asked(self) -> bool:
        return self.signal is not None

    def _ask(self, number: int, _frame: object) -> None:
        if self.is_asked():
            os._exit(128 + number)
        self.signal = number
        os.write(2, f"{self._flight}; once more to leave at once (it can be resumed)\n".encode())
