"""The review: every step of a run with its operations and file contents, in the order of the live run."""

from collections.abc import Iterable, Sequence

from orchestrator.host.operations import EditFile, Job, Operation, ReplaceFile, Write
from orchestrator.remote.job_script import render
from orchestrator.runbook.model import Runbook, Step, holds_material
from orchestrator.text import escaped

_LONG = 40  # lines


def review(
    runbook: Runbook,
    jobs: Sequence[Job],
    notes: Sequence[str] = (),
    sources: Sequence[str] = (),
    repairs: Sequence[str] = (),
    *,
    may_move: bool = False,
) -> str:
    """Return the text of a review; ``jobs`` are those that a dry run noted down.

    ``notes`` are who will lose what by it, as seen now: behind what anybody loses, they stand first;
    ``may_move`` is whether they have the time to come to what stays.
    ``repairs`` say what was left half done, and is put right by the first round.
    ``sources`` say where settings are, and so where they are written, where that is not the usual place.
    """
    always = ", ".join(_names(runbook.stages[0].steps[0], of="always"))
    cut_off = (*filter(None, [runbook.losses]), *notes)
    put_right = f"; put right in the round {runbook.stages[0].round!r}, before anything restarts"
    label = "MAY MOVE" if may_move else "CUT OFF"
    first = [*(f"{label}: {each}" for each in cut_off), *(f"REPAIR: {each}{put_right}" for each in repairs)]
    lines = [*first, *([""] if first else [])]
    lines += [f"Migration {runbook.migration} of cluster {runbook.cluster}."]
    for track in dict.fromkeys(runbook.tracks.values()):
        hosts = [host for host, other in runbook.tracks.items() if other == track]
        lines.append(f"{', '.join(hosts)}: from {track[0]} to {track[-1]}.")
    lines += sources
    lines.append(f"Runbook {runbook.digest[:12]}, {len(jobs)} jobs. Before and after every step: {always}.")
    lines.append(f"Without certificates and IDs, as in a rehearsal: runbook {runbook.outline[:12]}.")
    if runbook.risk:
        lines += ["", f"RISK: {runbook.risk}"]
    current, reported = "", set[str]()
    for number, job in enumerate(jobs, start=1):
        step = runbook.step(job.step)
        if step.round != current:
            current = step.round
            orders = [f", {stage.order}" for stage in runbook.stages if stage.round == current]
            lines += ["", f"Round {current}: {step.source} -> {step.target}{''.join(orders)}"]
        lines += ["", f"  {number}. {_title(job, step)}"]
        lines += [
            f"       {line}" for operation in job.operations for line in _reported_once(operation, reported)
        ]
        if job.successor is None:
            lines.append(f"       then wait until {step.host} is {step.target}: " + _gates(step))
    if not jobs:
        lines += ["", "Nothing to do: every host stands where this way ends."]
    return "\n".join(lines)


def _title(job: Job, step: Step) -> str:
    if job.successor:
        return f"{job.host}: hand leadership over to {job.successor}"
    away = "restarts the member" if step.restarts else "no restart"
    return f"{job.host}: {step.round} ({away})"


def operation_lines(operation: Operation) -> Iterable[str]:
    """Tell an operation, and a file's content where it is for people to read."""
    yield render(operation)
    if isinstance(operation, Write) and not holds_material(operation):  # nobody reads base64
        yield from (f"  | {line}" for line in operation.text.splitlines() if line)
    if isinstance(operation, EditFile):
        for one in operation.edits:
            yield f"  | line {one.line}:"
            for sign, text in (("-", one.old), ("+", one.new)):
                yield from (f"  | {sign} {escaped(line)}" for line in text.splitlines() if line)

    if isinstance(operation, ReplaceFile):
        yield from (f"  | {escaped(line)}" for line in operation.differs)


def _reported_once(operation: Operation, reported: set[str]) -> Iterable[str]:
    """Show an operation; the content of a long file is shown with the first host that gets it."""
    lines = tuple(operation_lines(operation))
    if not isinstance(operation, Write) or len(lines) < _LONG:
        return lines
    is_new = operation.sha256 not in reported
    reported.add(operation.sha256)
    return lines if is_new else (lines[0], "  | (the same as above)")


def _gates(step: Step) -> str:
    return ", ".join(_names(step, of="gates"))


def _names(step: Step, *, of: str) -> list[str]:
    gates = (*step.gates, *step.proof) if of == "gates" else step.always
    return [gate.name.removeprefix(f"{step.host}: ") for gate in gates]
