"""Which texts lie on the hosts by now: what was found there, and what the steps so far have put there."""

from collections.abc import Iterable, Mapping

from orchestrator.plan.facts import Target
from orchestrator.report.review import operations
from orchestrator.runbook.model import Runbook


def texts(
    there: Runbook, targets: Iterable[Target], states: Mapping[str, str]
) -> Mapping[str, Mapping[str, str]]:
    """Return the texts of each host by path; ``there`` is the way there, ``states`` where the hosts stand."""
    return {one.name: _texts(there, one, states.get(one.name, there.origins[one.name])) for one in targets}


def _texts(there: Runbook, target: Target, state: str) -> Mapping[str, str]:
    known: Mapping[str, str] = {
        path: file.text for path, file in target.found.files.items() if file.text is not None
    }
    track = there.tracks[target.name]
    for step in there.steps.values():
        if step.host == target.name and track.index(step.target) <= track.index(state):
            for operation in step.operations:
                known = operations.after(operation, known)
    return known
