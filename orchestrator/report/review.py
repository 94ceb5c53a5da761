"""The review: every step of a run with its operations and file contents, in the order of the live run."""

from collections.abc import Iterable, Sequence

from orchestrator.operations import Deed, Operation, Write
from orchestrator.remote.script import render
from orchestrator.runbook.model import Runbook, Step


def review(runbook: Runbook, deeds: Sequence[Deed]) -> str:
    """Return the text of a review; ``deeds`` are those that a dry run noted down."""
    always = ", ".join(_names(runbook.stages[0].steps[0], of="always"))
    way = f"{', '.join(runbook.members)} go from {runbook.first} to {runbook.final}"
    lines = [
        f"Migration {runbook.migration} of cluster {runbook.cluster}: {way}.",
        f"Runbook {runbook.digest[:12]}, {len(deeds)} deeds. Before and after every step: {always}.",
    ]
    current = ""
    for number, deed in enumerate(deeds, start=1):
        step = runbook.step(deed.step)
        if step.round != current:
            current = step.round
            stage = next(stage for stage in runbook.stages if stage.round == current)
            lines += ["", f"Round {stage.round}: {stage.source} -> {stage.target}, {stage.order}"]
        lines += ["", f"  {number}. {_title(deed, step)}"]
        lines += [f"       {line}" for operation in deed.operations for line in _operation(operation)]
        if deed.successor is None:
            lines.append(f"       then wait until {step.member} is {step.target}: " + _gates(step))
    if not deeds:
        lines += ["", f"Nothing to do: every member stands in {runbook.final}."]
    return "\n".join(lines)


def _title(deed: Deed, step: Step) -> str:
    if deed.successor:
        return f"{deed.host}: hand leadership over to {deed.successor}"
    restarts = any(operation for operation in deed.operations if "restart" in render(operation))
    away = "restarts the member" if restarts else "no restart"
    return f"{deed.host}: {step.round} ({away})"


def _operation(operation: Operation) -> Iterable[str]:
    yield render(operation)
    if isinstance(operation, Write) and isinstance(operation.content, str) and not _is_pem(operation.content):
        yield from (f"  | {line}" for line in operation.content.splitlines() if line)


def _is_pem(content: str) -> bool:
    """Whether it is a certificate: told by its digest, as nobody reads base64."""
    return "-----BEGIN " in content


def _gates(step: Step) -> str:
    return ", ".join(_names(step, of="gates"))


def _names(step: Step, *, of: str) -> list[str]:
    gates = step.gates if of == "gates" else step.always
    return [gate.name.removeprefix(f"{step.member}: ") for gate in gates]
