"""From a plan file to the cluster it describes, or to every fault in it at once."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from orchestrator import commandline
from orchestrator.errors import PlanInvalidError
from orchestrator.plan.checks import check, check_files, warn
from orchestrator.plan.collisions import check_names, check_secrets
from orchestrator.plan.explaining import validate
from orchestrator.plan.model import Cluster
from orchestrator.plan.sound import Sound
from orchestrator.plan.source import read


@dataclass(frozen=True, slots=True)
class Loaded:
    """A cluster, and what is allowed in its plan and still worth a thought, a line each."""

    cluster: Cluster
    warnings: tuple[str, ...]


def load(path: Path, strategies: Collection[str], *, files: bool = True) -> Loaded:
    """Return the cluster that a plan file describes, or raise PlanInvalidError with all its faults.

    ``strategies`` are the names a plan may choose from. ``files=False`` does not ask whether the files that
    the plan names exist: a rehearsal makes its own.
    """
    source = read(path)
    cluster, faults = validate(source, path.parent)
    sound = Sound(source, frozenset(source.unread | faults.keys()))
    found = {*source.faults, *faults.values(), *check(sound, strategies)}
    found.update(check_names(sound), check_secrets(sound, path.parent))
    if files:
        found.update(check_files(sound, path.parent))
    if found or cluster is None:
        called = commandline.of_plan(path)
        raise PlanInvalidError(
            tuple(commandline.spelled(fault.text(path), called) for fault in sorted(found))
        )
    warnings = tuple(warning.text(path) for warning in sorted(warn(sound)))
    return Loaded(cluster, warnings)
