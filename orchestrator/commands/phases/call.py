"""What the phases of a run share, and following them in their order."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from orchestrator.commands import approval
from orchestrator.commands.approval import Approval
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Direction, Recorded
from orchestrator.engine.state_file import EventLog, StateFile
from orchestrator.output import Part, err, out
from orchestrator.plan.facts import Facts
from orchestrator.remote.host_locks import HostLocks
from orchestrator.report.review.model import Review
from orchestrator.runbook.model import Runbook
from orchestrator.session import Session

Confirm = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the operator wants of a run.

    ``until`` is the state in which to pause, ``repair`` that a half-done registry is put right first,
    ``cut_off`` that nobody waits for clients that still speak plain http. ``reviewed`` is the file with the
    approved review to which the run is bound. ``canary`` is the member that takes each round first, and
    ``soak_s`` how long it is watched behind its first restart. With ``probe`` a client of our own uses the
    cluster meanwhile.
    """

    resume: bool = False
    until: str | None = None
    accept_risk: bool = False
    repair: bool = False
    cut_off: bool = False
    reviewed: Path | None = None
    canary: str | None = None
    soak_s: float = 0.0
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """How a review is given out: ``by_hand`` adds the commands that do the same, ``verbose`` the gates.

    ``saved`` is the file into which it is written, for a run that is bound to it. ``is_offline`` touches no
    host.
    """

    format: Literal["text", "json", "markdown"] = "text"
    verbose: bool = False
    by_hand: bool = False
    saved: Path | None = None
    is_offline: bool = False


@dataclass(slots=True)
class Call:
    """A call, and what its phases have found out so far.

    What has no value at first is set by the phase named beside it: one that comes too early fails at once.
    ``confirm`` is asked before the first change, unless it is None. ``held`` is let go of at the end.
    ``approval`` is the review that was approved, and ``approved_in`` the file which says so.
    """

    session: Session
    context: RunContext
    event_log: EventLog
    options: RunOptions = field(default_factory=RunOptions)
    confirm: Confirm | None = None
    direction: Direction = "forward"
    shape: Shape = field(default_factory=Shape)
    approval: Approval | None = None
    approved_in: Path | None = None
    run: str = field(init=False)
    was_finished: bool = field(init=False)
    is_over: bool = False  # a phase found that there is nothing more to do
    facts: Facts = field(init=False)  # check_hosts
    cut_off: tuple[str, ...] = ()  # check_hosts: who will lose what, as seen now
    runbook: Runbook = field(init=False)  # check_hosts, recall_run or recall_way_back
    review: Review | None = None  # review
    assumed: tuple[str, ...] = ()  # assume: what nobody has looked at
    varied: Runbook | None = None  # assume: the runbook of other assumptions
    locked: HostLocks = field(init=False)  # lock_every_host or lock_hosts_that_answer
    held: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        # a process that died with the locks before its first step left its id: only that takes them over
        opened = self.event_log.progress.opened
        self.run = opened.run if opened else secrets.token_hex(4)
        self.was_finished = self.event_log.progress.is_finished

    def approve(self, path: Path) -> None:
        """Bind it to the review in a file: that was approved, so nobody is asked again."""
        self.approval, self.approved_in, self.confirm = approval.read(path), path, None

    def say(self, *parts: Part) -> None:
        """Print what is no review: where programs read the review, it goes to the people's stream."""
        (out if self.shape.format == "text" else err)(*parts)

    def record(self, event: Recorded) -> None:
        """Put an event on disk, then tell it."""
        self.event_log.append(event)
        self.context.narrate(event)


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
