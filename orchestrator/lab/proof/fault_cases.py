"""The cases of a rehearsal with faults: what became of each, and the table that says it."""

import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.errors import OrchestratorError
from orchestrator.lab.faults.strikes import KILL_RUN, Fault
from orchestrator.lab.proof.rendering import table
from orchestrator.output import err, out
from orchestrator.probe.tally import ProbeReport

KILLED = 128 + 9  # as shells say it
# What the lab and its programs raise, which is no bug of ours.
EXPECTED = (OrchestratorError, subprocess.SubprocessError, OSError)


@dataclass(frozen=True, slots=True)
class Turn:
    """A round of the plan's migration: its name, the state that it leads to, and how many hosts take it."""

    round: str
    state: str
    hosts: int


@dataclass(frozen=True, slots=True)
class Case:
    """What became of one fault. ``at`` is None if it did not strike: the round was over before.

    ``reason`` is why it could not be tried, if it could not; without ``exits`` and ``probe``, if nothing was.
    """

    turn: Turn
    fault: Fault
    step: str
    at: datetime | None
    exits: tuple[int, ...]
    probe: ProbeReport | None
    reason: str = ""

    @property
    def is_proved(self) -> bool:
        """Whether it struck, the run came to its end, and nothing was lost."""
        probe = self.probe
        is_tried = self.at is not None and not self.reason
        return is_tried and self.is_ended and probe is not None and not probe.lost + probe.wrong_reads

    @property
    def is_ended(self) -> bool:
        """Whether the run came to its end, so that another one can begin."""
        return self.exits[-1:] == (0,)


def tried(turn: Turn, fault: Fault, case: Callable[[], Case]) -> Case:
    """Try a case; where that fails, the reason is what became of it."""
    try:
        return case()
    except EXPECTED as error:
        return Case(turn, fault, f"{turn.round}/-", None, (), None, why(error))


def why(error: BaseException) -> str:
    """Say what went wrong in the lab."""
    if isinstance(error, subprocess.TimeoutExpired):
        words = error.cmd if isinstance(error.cmd, str) else " ".join(map(str, error.cmd))
        return f"{words} did not end within {error.timeout:g} s"
    return getattr(error, "strerror", None) or str(error) or "no reason given"


def ended(case: Case) -> str:
    """Say how the run went on behind a fault."""
    return ", ".join(filter(None, (_went_on(case), "FAILED" if case.reason else "")))


def _went_on(case: Case) -> str:
    if not case.exits:
        return ""
    first, *rest = case.exits
    if first == 0:
        return "went on by itself"
    begins = "killed" if case.fault.name == KILL_RUN and first == KILLED else f"stopped ({first})"
    between = "".join(f", stopped ({code})" for code in rest[:-1])
    if not rest or rest[-1] != 0:
        return f"{begins}{between}, NOT resumed ({case.exits[-1]})"
    return f"{begins}{between}, resumed"


def row(case: Case) -> tuple[str, ...]:
    """Return a case as a row of the table that is printed at the end."""
    probe = case.probe
    begun = (case.step, case.fault.name, f"{case.at:%H:%M:%S}" if case.at else "did not strike", ended(case))
    if probe is None:
        return (*begun, "-", "-", "-")
    return (
        *begun,
        f"{probe.failed + probe.failed_reads} of {probe.attempts + probe.reads}",
        str(probe.lost + probe.wrong_reads),
        f"{probe.longest_stall_s:.2f} s",
    )


HEAD = ("step", "fault", "struck (UTC)", "the run", "failed", "lost", "longest stall")


def reported(cases: Iterable[Case], expected: int, log: Path) -> int:
    """Print each case as it is over, and all of them however that ends; return the exit code."""
    seen, early = list[Case](), ""
    try:
        for case in cases:
            seen.append(case)
            err(f"{case.step}: {case.fault.what}: {ended(case)}")
    except EXPECTED as error:
        early = why(error)
    finally:
        out(f"\n{table([HEAD, *map(row, seen)])}\n")
    for case in seen:
        if case.reason:
            out(f"{case.step}: {case.fault.name}: {case.reason}")
    if early:
        out(f"The tour ended early: {early}.")
    lacking = [case for case in seen if not case.is_proved]
    if lacking or len(seen) < expected:
        out(f"Not proved: {len(lacking)} of {len(seen)} cases, and {expected - len(seen)} never began.")
        out(f"What the runs said is in {log}.")
        return 1
    out(f"Proved: {len(seen)} faults, and nothing was lost.")
    return 0
