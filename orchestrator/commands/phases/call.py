"""What the phases of a run share, and following them in their order."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Direction
from orchestrator.engine.state_file import EventLog, StateFile
from orchestrator.output import err
from orchestrator.plan.facts import Facts
from orchestrator.remote.host_locks import HostLocks
from orchestrator.runbook.model import Runbook
from orchestrator.session import Session

Confirm = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the operator wants of a run.

    ``until`` is the state in which to pause, ``repair`` that a half-done registry is put right first,
    ``cut_off`` that nobody waits for clients that still speak plain http.
    """

    resume: bool = False
    until: str | None = None
    accept_risk: bool = False
    repair: bool = False
    cut_off: bool = False


@dataclass(slots=True)
class Call:
    """A call, and what its phases have found out so far.

    What has no value at first is set by the phase named beside it: one that comes too early fails at once.
    ``confirm`` is asked before the first change, unless it is None. ``held`` is let go of at the end.
    """

    session: Session
    context: RunContext
    event_log: EventLog
    options: RunOptions = field(default_factory=RunOptions)
    confirm: Confirm | None = None
    direction: Direction = "forward"
    run: str = field(init=False)
    was_finished: bool = field(init=False)
    is_over: bool = False  # a phase found that there is nothing more to do
    facts: Facts = field(init=False)  # check_hosts
    cut_off: tuple[str, ...] = ()  # check_hosts: who will lose what, as seen now
    runbook: Runbook = field(init=False)  # check_hosts, recall_run or recall_way_back
    locked: HostLocks = field(init=False)  # lock_every_host or lock_hosts_that_answer
    held: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        # a process that died with the locks before its first step left its id: only that takes them over
        opened = self.event_log.progress.opened
        self.run = opened.run if opened else secrets.token_hex(4)
        self.was_finished = self.event_log.progress.is_finished


Phase = Callable[[Call], None]


def follow(phases: Sequence[Phase], call: Call) -> None:
    """Go through phases in their order, until one raises or finds that there is nothing more to do."""
    with call.held:
        for phase in phases:
            phase(call)
            if call.is_over:
                return


def open_state_file(session: Session) -> StateFile:
    """Open the state file under its lock, until the command is over or is left at once."""
    event_log = StateFile(session.state, warn=warn)
    session.moment.on_leaving.append(event_log.close)
    return event_log


def warn(text: str) -> None:
    """Print a warning."""
    err(f"warning: {text}")
