"""The session that a command works in; heavy modules are imported only where they are needed."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator import garbage, output
from orchestrator.cli import streams
from orchestrator.cli.logins import NOTHING_GIVEN, Login, secrets_of
from orchestrator.cli.outputs import shown
from orchestrator.cli.signals import Stop
from orchestrator.errors import (
    HostUnreachableError,
    LoginRefusedError,
    OrchestratorError,
    PersonNeededError,
    RunInterruptedError,
    RunTerminatedError,
    StoppedError,
)
from orchestrator.text import laid_out

if TYPE_CHECKING:
    from orchestrator.engine.context import RunContext
    from orchestrator.engine.events import Event
    from orchestrator.engine.progress import Progress
    from orchestrator.report.view import View
    from orchestrator.session import Session

State = Annotated[
    Path | None, typer.Option(metavar="FILE", help="State file, if not PLAN.state.jsonl.", show_default=False)
]


@contextlib.contextmanager
def session_of(
    plan: Path,
    state: Path | None,
    login: Login = NOTHING_GIVEN,
    verb: str = "",
    *,
    is_json: bool = False,
) -> "Iterator[tuple[Session, RunContext]]":
    """Open a session for one command, and add the command to go on with to what stops it.

    ``verb`` is the command's own, if it walks; another one is over once nobody reads what it shows.
    ``is_json`` keeps standard output for events as JSON lines.
    """
    from orchestrator.engine.context import RunContext  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.remote.at_once import at_once  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.report.flight import Flight  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.session import open_session  # noqa: PLC0415 -- see the module's docstring

    garbage.collect_as_usual()
    stop = Stop()
    with (
        stop.listening(),
        open_session(plan, state, secrets_of(login)) as session,
        shown(session.cluster.name, partial(_past, session), is_json=is_json) as report,
        _notices(session, verb) as notify,
    ):
        for warning in session.warnings:
            _warn(warning)
        patience = session.cluster.patience
        flight = Flight(patience.gate_s)

        def narrate(event: "Event") -> None:
            flight.take(event)
            report(event)
            notify(event)

        def again() -> str:
            progress = _progress(session)
            if progress.opened is None or progress.is_rolled_back:
                return session.command("check")  # which names a run whose file was lost, or what is wrong
            goes_back = (verb or progress.direction) in {"rollback", "back"}
            return session.command("rollback") if goes_back else session.resume_command

        def advice() -> str:
            return f" Go on with: {again()}" if verb and _progress(session).attempts else ""

        stop.know(session.moment, flight if verb else "finishing what is under way", advice)
        try:
            should_stop = stop.is_asked if verb else lambda: stop.is_asked() or streams.is_out_lost()
            with session.advising():
                yield session, RunContext(patience, should_stop=should_stop, narrate=narrate, at_once=at_once)
        except (StoppedError, PersonNeededError, RunInterruptedError) as error:
            is_terminated = isinstance(error, RunInterruptedError) and stop.signal == signal.SIGTERM
            kind = RunTerminatedError if is_terminated else type(error)
            raise kind(laid_out(session.spelled(str(error)), f"Go on with: {again()}")) from error
        except (LoginRefusedError, HostUnreachableError) as error:
            raise type(error)(error.host, session.spelled(error.reason)) from error


def _notices(session: "Session", verb: str) -> contextlib.AbstractContextManager[Callable[["Event"], None]]:
    """Return where the plan wants a run's events to go; nowhere for a command that walks nobody."""
    if not verb:
        return contextlib.nullcontext(lambda _: None)
    from orchestrator.notify.opening import notifying  # noqa: PLC0415 -- see the module's docstring

    return notifying(session.cluster, partial(_past, session), _warn)


def _warn(text: str) -> None:
    output.err(f"warning: {text}")


def _past(session: "Session") -> "View | None":
    """Read the run as its state file tells it; whoever goes on with it says what is wrong with that."""
    from orchestrator.commands.watch import seen  # noqa: PLC0415 -- see the module's docstring

    with contextlib.suppress(OrchestratorError):
        return seen(session.state, session.cluster, session.migration)
    return None


def _progress(session: "Session") -> "Progress":
    """Read how far the state file's run has come; a file that cannot be read says nothing."""
    from orchestrator.commands.status import read_progress  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.engine.progress import Progress  # noqa: PLC0415 -- see the module's docstring

    try:
        return read_progress(session)
    except OrchestratorError:
        return Progress()
