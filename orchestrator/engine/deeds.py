"""What deeds are called, and a run's story told again from the names of those that began on the hosts."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.engine.events import HandedOver, Opened, Recorded, StepStarted, StepSucceeded
from orchestrator.runbook.model import Runbook, Step

_COUNT = re.compile(r"(handover-)?([0-9]+)")


@dataclass(frozen=True, slots=True)
class _Deed:
    step: Step
    number: int
    is_handover: bool


def name_of(run: str, step: Step, attempt: int) -> str:
    """Name a step's deed: one name for each attempt, in the whole life of a run."""
    return f"{_stem(run, step)}{attempt}"


def name_of_handover(run: str, step: Step, number: int) -> str:
    """Name the deed by which a member that has to go last gives that role away."""
    return f"{_stem(run, step)}handover-{number}"


def retell(
    opened: Opened, ways: Sequence[Runbook], begun: Mapping[str, Iterable[str]]
) -> tuple[Recorded, ...]:
    """Make a state file's events of the deeds that began on each host, by their names, in their order.

    ``ways`` are all runbooks that a step may belong to: there and back. A host's last step is in doubt, for
    its end was known to the lost state file only; whoever goes on looks at it. Those before it were done,
    or the host would not have gone on. Raises ValueError for a name that none of the steps can have.
    """
    events: list[Recorded] = [opened]
    for host, names in begun.items():
        steps = [step for way in ways for stage in way.stages for step in stage.steps if step.host == host]
        events += _retell_host([_read(opened.run, steps, name) for name in names])
    return tuple(events)


def _retell_host(deeds: Sequence[_Deed]) -> Iterable[Recorded]:
    in_doubt: Step | None = None
    handovers: Counter[str] = Counter()
    for deed in deeds:
        step = deed.step
        if in_doubt is not None and in_doubt.id != step.id:
            yield StepSucceeded(
                step=in_doubt.id, host=step.host, target=in_doubt.target, took_s=0.0, is_adopted=True
            )
            in_doubt = None
        if deed.is_handover:
            for _ in range(deed.number - handovers[step.id]):  # one that never reached its host counts too
                yield HandedOver(step=step.id, host=step.host, successor="unknown")
            handovers[step.id] = deed.number
        else:
            yield StepStarted(
                step=step.id,
                host=step.host,
                source=step.source,
                target=step.target,
                attempt=deed.number,
                operations=step.digest,
            )
            in_doubt = step


def _stem(run: str, step: Step) -> str:
    return f"{run}-{step.round}-{step.host}-"


def _read(run: str, steps: Iterable[Step], name: str) -> _Deed:
    for step in steps:
        stem = _stem(run, step)
        counted = _COUNT.fullmatch(name.removeprefix(stem)) if name.startswith(stem) else None
        if counted:
            return _Deed(step, int(counted[2]), is_handover=counted[1] is not None)
    raise ValueError(f"{name}: no step of run {run} has such a deed")
