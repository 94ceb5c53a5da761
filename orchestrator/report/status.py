"""Status: in which state each member is seen to stand now, beside what the state file says."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.cluster.facts import Subject
from orchestrator.engine.progress import Progress
from orchestrator.errors import HostUnreachableError
from orchestrator.remote.executor import Executor
from orchestrator.runbook.model import Runbook


@dataclass(frozen=True, slots=True)
class Seen:
    """One member: the last state whose gates all hold, or None and why not for the recorded state."""

    member: str
    address: str
    state: str | None
    recorded: str
    remark: str


def observe(
    runbook: Runbook, executor: Executor, progress: Progress, subjects: Sequence[Subject]
) -> tuple[Seen, ...]:
    """Look at every member; changes nothing."""
    return tuple(_member(runbook, executor, progress, subject) for subject in subjects)


def _member(runbook: Runbook, executor: Executor, progress: Progress, subject: Subject) -> Seen:
    name = subject.name
    recorded = progress.states.get(name, runbook.origins[name])
    unsettled = progress.unsettled.get(name)
    doubt = f"{unsettled.step} {'failed' if unsettled.is_failed else 'is in doubt'}" if unsettled else ""
    state, remark = None, ""
    try:
        for candidate in reversed(runbook.tracks[name]):
            refusals = executor.refusals(runbook.gates[name, candidate])
            if not refusals:
                state = candidate
                break
            if candidate == recorded:
                remark = "; ".join(map(str, refusals))
    except HostUnreachableError as error:
        remark = str(error)
    if state is not None and runbook.gates[name, state] == runbook.gates[name, recorded]:
        state = recorded  # what tells the two apart was seen once, and is in the state file only
    if state is not None:
        remark = "" if state == recorded or unsettled else f"the state file says {recorded}: {remark}"
    remark = "; ".join(filter(None, (doubt, remark)))
    return Seen(name, subject.host.address, state, recorded, remark)


def table(seen: Sequence[Seen]) -> str:
    """Return the members as an aligned table for people."""
    rows = [("member", "address", "stands in", "recorded", "remark")]
    rows += [(item.member, item.address, item.state or "?", item.recorded, item.remark) for item in seen]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4])).rstrip()
        for row in rows
    )
