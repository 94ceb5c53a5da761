"""The session that a command works in; heavy modules are imported only where they are needed."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import output
from orchestrator.cli.logins import NOTHING_GIVEN, Login, secrets_of
from orchestrator.cli.signals import Stop
from orchestrator.errors import (
    HostUnreachableError,
    LockedError,
    LoginRefusedError,
    OrchestratorError,
    PersonNeededError,
    RefusedError,
    RunInterruptedError,
    RunTerminatedError,
    StoppedError,
)

if TYPE_CHECKING:
    from orchestrator.engine.context import RunContext
    from orchestrator.engine.events import Event
    from orchestrator.engine.progress import Progress
    from orchestrator.session import Session


@contextlib.contextmanager
def session_of(
    plan: Path, state: Path | None, login: Login = NOTHING_GIVEN, verb: str = ""
) -> "Iterator[tuple[Session, RunContext]]":
    """Open a session for one command, and add the command to go on with to what stops it.

    ``verb`` is the command's own, if it walks.
    """
    from orchestrator.engine.context import RunContext  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.report import live  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.report.flight import Flight  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.session import open_session  # noqa: PLC0415 -- see the module's docstring

    live.configure(people=sys.stderr.isatty())
    stop = Stop()
    with stop.listening(), open_session(plan, state, secrets_of(login)) as session:
        for warning in session.warnings:
            output.err(f"warning: {warning}")
        patience, report = session.cluster.patience, live.narrator()
        flight = Flight(patience.gate_s)

        def narrate(event: "Event") -> None:
            flight.take(event)
            report(event)

        def again() -> str:
            progress = _progress(session)
            if progress.opened is None or progress.is_rolled_back:
                return session.command("check")  # which names a run whose file was lost, or what is wrong
            return session.command(verb) if verb == "rollback" else session.resume_command

        def advice() -> str:
            return f" Go on with: {again()}" if verb and _progress(session).attempts else ""

        stop.know(session.moment, flight if verb else "finishing what is under way", advice)
        try:
            yield session, RunContext(patience, should_stop=stop.is_asked, narrate=narrate)
        except (StoppedError, PersonNeededError, RunInterruptedError) as error:
            is_terminated = isinstance(error, RunInterruptedError) and stop.signal == signal.SIGTERM
            kind = RunTerminatedError if is_terminated else type(error)
            raise kind(f"{session.spelled(str(error))}. Go on with: {again()}") from error
        except (RefusedError, LockedError) as error:
            raise type(error)(session.spelled(str(error))) from error
        except (LoginRefusedError, HostUnreachableError) as error:
            raise type(error)(error.host, session.spelled(error.reason)) from error


def _progress(session: "Session") -> "Progress":
    """Read how far the state file's run has come; a file that cannot be read says nothing."""
    from orchestrator.commands.status import read_progress  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.engine.progress import Progress  # noqa: PLC0415 -- see the module's docstring

    try:
        return read_progress(session)
    except OrchestratorError:
        return Progress()
