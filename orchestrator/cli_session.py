"""What the command line's commands share: a session with its pace, signals, and the person to ask."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orchestrator.errors import PersonNeededError, RunInterruptedError, StoppedError, UsageError

if TYPE_CHECKING:
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
    from orchestrator.session import open_session  # noqa: PLC0415 -- see the module's docstring

    people = sys.stderr.isatty()
    live.configure(people=people, colors=people and "NO_COLOR" not in os.environ)
    with open_session(plan, state) as session:
        for warning in session.warnings:
            typer.echo(f"warning: {warning}", err=True)
        pace = Pace(session.cluster.patience, should_stop=_stop_on_signals(), narrate=live.narrator())
        try:
            yield session, pace
        except (StoppedError, PersonNeededError, RunInterruptedError) as error:
            again = session.resume_command if verb == "run" else session.command(verb)
            raise type(error)(f"{error}. Go on with: {again}") from error


def _stop_on_signals() -> Callable[[], bool]:
    """First Ctrl-C or SIGTERM: stop before the next step. Second: leave at once. SIGHUP: carry on."""
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked:
            os._exit(128 + number)
        asked.append(number)
        os.write(2, b"stopping after the step in flight; once more to leave at once (it can be resumed)\n")

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return lambda: bool(asked)
