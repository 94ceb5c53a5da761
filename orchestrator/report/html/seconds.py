"""Where each second of a run went: by round, and in it on the hosts, waiting, or looking."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from orchestrator.engine.events import (
    HandedOver,
    Recorded,
    RoundBegan,
    RunEnded,
    Span,
    StepFailed,
    StepStarted,
    StepSucceeded,
)
from orchestrator.host import names
from orchestrator.report.html.story import Bar, Process

Spent = Literal["job", "wait", "look", "step"]
BACKUP, LOOK, LAST = "backup and locks", "first look", "last look"


@dataclass(slots=True)
class Part:
    """A part of a process: ``spent`` are seconds, by what they were spent on; ``offset_s`` is when it began.

    ``is_round`` tells a round's name from the names of what comes before and behind the rounds.
    """

    name: str
    offset_s: float
    is_round: bool
    spent: dict[Spent, float] = field(default_factory=dict)

    @property
    def took_s(self) -> float:
        """All its seconds."""
        return sum(self.spent.values())


def parts(process: Process) -> tuple[Part, ...]:
    """Return the parts of a process in their order; together they are all of its time.

    A part is a round, with what was looked at and waited for before its first step. Where no job is noted,
    by an older version, a step's time is not divided.
    """
    found: list[Part] = []
    offset_s = 0.0
    for before, after in pairwise(process.events):
        name, is_round = _part(process, after, found[-1] if found else None)
        if not found or (found[-1].name, found[-1].is_round) != (name, is_round):
            found.append(Part(name, offset_s, is_round))
        spent = found[-1].spent
        for kind, seconds in _spent(process, before.at, after):
            spent[kind] = spent.get(kind, 0.0) + seconds
            offset_s += seconds
    return tuple(found)


def _part(process: Process, after: Recorded, current: Part | None) -> tuple[str, bool]:
    match after:
        case RoundBegan():
            is_first = not process.rounds or after is process.rounds[0]
            return (LOOK, False) if is_first else (after.round, True)
        case HandedOver() | StepStarted() | StepSucceeded() | StepFailed():
            return names.round_and_host(after.step)[0], True
        case RunEnded():
            return (LAST, False) if current is None or current.is_round else (current.name, current.is_round)
        case _:
            return BACKUP, False


def _spent(process: Process, began: datetime, after: Recorded) -> Iterator[tuple[Spent, float]]:
    """Divide the time up to an event: jobs first, then waits; the rest was looking."""
    is_step = isinstance(after, StepSucceeded | StepFailed)
    rest: Spent = "look" if process.spans or not is_step else "step"
    cuts = sorted({began, after.at, *_edges(process.spans, began, after.at)})
    for start, end in pairwise(cuts):
        if start < began or end > after.at:
            continue
        kinds = {span.kind for span in process.spans if span.at <= start and end <= ended(span)}
        kind: Spent = "job" if "job" in kinds else "wait" if kinds else rest
        yield kind, (end - start).total_seconds()


def ended(span: Span) -> datetime:
    """When a span came to its end."""
    return span.at + timedelta(seconds=span.took_s)


def is_of(span: Span, bar: Bar) -> bool:
    """Whether a job is the one of that attempt at a step."""
    return span.kind == "job" and span.host == bar.host and bar.began <= span.at <= bar.ended


def _edges(spans: Sequence[Span], began: datetime, end: datetime) -> Iterator[datetime]:
    for span in spans:
        yield from (at for at in (span.at, ended(span)) if began < at < end)
