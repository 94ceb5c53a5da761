"""Whether a story can be that of a runbook: its steps, where they lead, and where they have led to; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.engine.progress import Progress
from orchestrator.host import names
from orchestrator.runbook.model import Runbook, Step


@dataclass(frozen=True, slots=True)
class Misfit:
    """What does not fit, and on which line of the file it stands."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"


def misfit(progress: Progress, there: Runbook, back: Runbook) -> Misfit | None:
    """Return what a story tells that cannot have happened in a runbook, there or back, if anything.

    What the steps do is compared as well if the runbook is the very one with which the story began: under a
    plan that was edited since, the rest can still be judged.
    """
    return next(_misfits(progress, there, back), None)


def edited(progress: Progress, there: Runbook, back: Runbook) -> tuple[str, ...]:
    """Return the steps that were begun and would do something else in these runbooks."""
    steps = {**there.steps, **back.steps}
    return tuple(
        name
        for name, latest in progress.begun.items()
        if name in steps and steps[name].digest != latest.event.operations
    )


def _misfits(progress: Progress, there: Runbook, back: Runbook) -> Iterator[Misfit]:
    opened = progress.opened
    if opened is None:
        return
    if (opened.cluster, opened.migration) != (there.cluster, there.migration):
        yield Misfit(1, f"it is about {opened.migration} of {opened.cluster}")
    if progress.saved and progress.saved.host not in there.tracks:
        yield Misfit(2, f"the plan has no host {progress.saved.host}")
    is_same = opened.runbook == there.digest
    yield from _of_steps(progress, {**there.steps, **back.steps}, is_same=is_same)
    began = progress.began
    if began and is_same and began.runbook != _way(progress, there, back).digest:
        yield Misfit(progress.lines, f"the last run went {began.direction} with another runbook")
    yield from _of_ends(progress, _way(progress, there, back), there)


def _of_steps(progress: Progress, steps: Mapping[str, Step], *, is_same: bool) -> Iterable[Misfit]:
    for name, latest in progress.begun.items():
        step, event = steps.get(name), latest.event
        if step is None:
            yield Misfit(latest.line, f"the plan's migration has no step {name}")
        elif (step.source, step.target) != (event.source, event.target):
            yield Misfit(latest.line, f"{name} leads from {step.source!r} to {step.target!r}")
        elif is_same and step.digest != event.operations:
            yield Misfit(latest.line, f"{name} would do something else now")
    begun = progress.round
    pending = [names.of_step(begun.round, host) for host in begun.hosts] if begun else []
    for name in (*progress.handovers, *pending):
        if name not in steps:
            yield Misfit(progress.lines, f"the plan's migration has no step {name}")


def _of_ends(progress: Progress, way: Runbook, there: Runbook) -> Iterable[Misfit]:
    stand = {host: progress.states.get(host, origin) for host, origin in there.origins.items()}
    if (progress.is_finished or progress.is_rolled_back) and stand != way.finals:
        far = ", ".join(f"{host} in {state}" for host, state in stand.items() if state != way.finals[host])
        yield Misfit(progress.lines, f"the run cannot have finished with {far}")
    if progress.is_recovered:
        return  # each host has reported its own steps alone, and a last one may be missing
    first, last = _rounds(progress, there, stand)
    if first < last:
        rounds = [stage.round for stage in there.stages]
        yield Misfit(
            progress.lines, f"{rounds[last]} cannot have begun before every host has taken {rounds[first]}"
        )


def _rounds(progress: Progress, there: Runbook, stand: Mapping[str, str]) -> tuple[int, int]:
    """Return the first round that a host has not taken for sure, and the last that one may have taken.

    A round is a barrier, so only one can be taken by some hosts and not by others, there as well as back.
    """
    first, last = len(there.stages), -1
    for number, stage in enumerate(there.stages):
        for step in stage.steps:
            track, doubt = there.tracks[step.host], progress.unsettled.get(step.host)
            ends = {stand[step.host], *((doubt.source, doubt.target) if doubt else ())}
            taken = {track.index(end) > track.index(step.source) for end in ends}
            first = first if True in taken else min(first, number)
            last = last if False in taken else number
    return first, last


def _way(progress: Progress, there: Runbook, back: Runbook) -> Runbook:
    return there if progress.direction == "forward" else back
