"""A round that hosts take together: where it was begun and not ended by all, it is undone first; pure.

What a step of such a round begins on one host is needed by the other hosts' proofs, and does not last. So a
run that finds the round half taken takes it anew, on every host.
"""

from dataclasses import replace

from orchestrator.engine.progress import Progress
from orchestrator.host import names
from orchestrator.runbook.model import Runbook, Stage, Step


def is_passed(runbook: Runbook, stage: Stage, progress: Progress) -> bool:
    """Whether a host has begun what comes behind the round: then all had taken it, for it is a barrier.

    It can look half taken all the same: hosts that tell of a lost state file leave their last step in doubt.
    """
    for step in stage.steps:
        track, doubt = runbook.tracks[step.host], progress.unsettled.get(step.host)
        stands = progress.states.get(step.host, track[0])
        if doubt:
            stands = doubt.target  # a step there means that it was in ``source``, one back leads no further
        if track.index(stands) > track.index(stage.target):
            return True
    return False


def without_proof(stage: Stage) -> Stage:
    """Return the round for hosts that are known to have taken it."""
    return replace(stage, steps=tuple(replace(step, proof=()) for step in stage.steps))


def undone_first(runbook: Runbook, stage: Stage, progress: Progress) -> tuple[tuple[Step, ...], ...]:
    """Return the steps to take before the round begins anew, round by round; none if nobody has begun it."""
    settling, undoing = [], []
    for step in stage.steps:
        undo = runbook.undoing[names.of_step(names.undone(step.round), step.host)]
        doubt = progress.unsettled.get(step.host)
        if doubt and doubt.step not in {step.id, undo.id} and doubt.target == stage.target:
            settling.append(runbook.undoing[doubt.step])  # it had gone back to where the round leads
        if (
            stage.target in {doubt.source, doubt.target}
            if doubt
            else stage.target == progress.states.get(step.host)
        ):
            undoing.append(undo)
    return tuple(steps for steps in (tuple(settling), tuple(undoing)) if steps)
