"""A run's events rebuilt from the names of the jobs that began on the hosts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from orchestrator.engine.events import (
    FORMAT,
    HandedOver,
    Opened,
    Recorded,
    Recovered,
    StepStarted,
    StepSucceeded,
)
from orchestrator.host import names
from orchestrator.migrations.table import ROLES, Migration
from orchestrator.runbook.model import Runbook, Step

_MOST = 10_000  # steps that a host can have begun, going there and back
# Steps in a row that a host can have taken without a job of theirs on it: one was found done before its job
# was sent, and another's job never came, so that it is undone next.
_UNSEEN = 2


@dataclass(frozen=True, slots=True)
class _Job:
    step: Step
    number: int
    is_handover: bool


def retell(
    opened: Opened, ways: Sequence[Runbook], begun: Mapping[str, Iterable[str]]
) -> tuple[Recorded, ...]:
    """Make a state file's events of the jobs that began on each host, by their names, in their order.

    ``ways`` are all runbooks that a step may belong to: there and back. A host's last step is in doubt, for
    its end was known to the lost state file only; whoever goes on looks at it. Those before it were done,
    or the host would not have gone on. Raises ValueError for a name that none of the steps can have, and for
    an order in which they cannot have begun.
    """
    events: list[Recorded] = [opened.model_copy(update={"format": FORMAT}), Recovered()]
    for host, jobs in begun.items():
        steps = {step.round: step for way in ways for step in way.steps.values() if step.host == host}
        read = (_read(opened.run, steps, host, name) for name in jobs)
        events += _retell_host(_Track(ways[0], host), read)
    return tuple(events)


class _Track:
    """The states of one host, and which steps between them leave a trace on it."""

    def __init__(self, there: Runbook, host: str) -> None:
        self.origin = there.origins.get(host, "")
        self._states = there.tracks.get(host, ())
        self._traced = [
            bool(step.operations) for stage in there.stages for step in stage.steps if step.host == host
        ]

    def can_lead(self, source: str, target: str) -> bool:
        """Whether a host can have got from one state to another without a trace of it."""
        first, last = sorted(map(self._states.index, (source, target)))
        return sum(self._traced[first:last]) <= _UNSEEN


def _retell_host(track: _Track, jobs: Iterable[_Job]) -> Iterable[Recorded]:
    stands, doubt = track.origin, None
    last: dict[tuple[str, bool], int] = {}
    for count, (_, group) in enumerate(groupby(jobs, key=lambda job: job.step.id)):
        first = next(group)
        step = first.step
        if doubt:
            yield StepSucceeded(
                step=doubt.id, host=step.host, target=doubt.target, took_s=0.0, is_adopted=True
            )
            stands, doubt = doubt.target, None
        if count == _MOST:
            raise ValueError(f"{step.host} remembers more than {_MOST} steps")
        if not track.can_lead(stands, step.source):
            raise ValueError(f"{step.id} cannot have begun on a host that stands in {stands!r}")
        numbers = _numbers(step, chain([first], group), last)
        if True in numbers:
            yield HandedOver(step=step.id, host=step.host, successor="unknown", number=numbers[True])
        stands = step.source
        if False in numbers:
            yield StepStarted(
                step=step.id,
                host=step.host,
                source=step.source,
                target=step.target,
                attempt=numbers[False],
                operations=step.digest,
                restarts=step.restarts,
            )
            doubt = step


def _numbers(step: Step, jobs: Iterable[_Job], last: dict[tuple[str, bool], int]) -> Mapping[bool, int]:
    """Return the last number of a step's handovers (True) and of its attempts (False), and note them.

    A job in doubt is sent again under its own name, so a number may come twice in a row of one step's.
    """
    numbers: dict[bool, int] = {}
    for job in jobs:
        before = numbers.get(job.is_handover, last.get((step.id, job.is_handover), 0) + 1)
        if job.number < before:
            kind = "handover" if job.is_handover else "attempt"
            raise ValueError(f"{step.id}: {kind} {job.number} cannot have begun behind those before it")
        numbers[job.is_handover] = job.number
    last |= {(step.id, is_handover): number for is_handover, number in numbers.items()}
    return numbers


def is_undone(opened: Opened, migration: Migration, begun: Mapping[str, Sequence[str]]) -> bool:
    """Whether every host that began anything undid its first round last, whatever hosts the plan has now."""
    back = migration.reversed
    rounds = [round_.name for way in (migration, back) for round_ in way.rounds]
    lasts = {round_.name for role in ROLES for round_ in back.rounds_of(role)[-1:]}
    try:
        latest = [
            names.read(jobs[-1], opened.run, host, rounds).round for host, jobs in begun.items() if jobs
        ]
    except ValueError:
        return False
    return lasts.issuperset(latest)


def _read(run: str, steps: Mapping[str, Step], host: str, name: str) -> _Job:
    reported = names.read(name, run, host, steps)
    return _Job(steps[reported.round], reported.number, reported.is_handover)
