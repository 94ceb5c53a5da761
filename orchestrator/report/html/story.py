"""What a state file tells of a run: its processes, and in each its steps and waits, with their times."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from orchestrator.engine.events import (
    Direction,
    Opened,
    Recorded,
    Recovered,
    RoundBegan,
    RunBegan,
    RunEnded,
    Saved,
    Span,
    StepFailed,
    StepStarted,
    StepSucceeded,
    Walked,
)
from orchestrator.host import names

Ending = Literal["succeeded", "failed", "in doubt", "found done"]
Outcome = Literal["finished", "paused", "stopped", "interrupted", "gone"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One attempt at a step: on which host, in which round, from when to when, and what became of it."""

    step: str
    host: str
    began: datetime
    ended: datetime
    attempt: int
    ending: Ending
    reason: str = ""

    @property
    def round(self) -> str:
        """The round of which it is a step."""
        return names.round_and_host(self.step)[0]


@dataclass(frozen=True, slots=True)
class Process:
    """One process that worked on the state file, and its events; ``gone`` is one that noted no ending.

    ``run`` is None for what happened before a first process had begun to walk.
    """

    events: tuple[Recorded, ...]
    run: RunBegan | None

    @property
    def began(self) -> datetime:
        """When it noted its first event."""
        return self.events[0].at

    @property
    def ended(self) -> datetime:
        """When it noted its last event; clocks may have been set back meanwhile."""
        return max(event.at for event in self.events)

    @property
    def ending(self) -> RunEnded | None:
        """How it ended, if it noted that."""
        last = self.events[-1]
        return last if isinstance(last, RunEnded) else None

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.ending.outcome if self.ending else "gone"

    @property
    def direction(self) -> Direction:
        """Which way it went."""
        return self.run.direction if self.run else "forward"

    @property
    def took_s(self) -> float:
        """Seconds from its first event to its last."""
        return (self.ended - self.began).total_seconds()

    @property
    def rounds(self) -> tuple[RoundBegan, ...]:
        """Rounds that it began, in their order."""
        return tuple(event for event in self.events if isinstance(event, RoundBegan))

    @property
    def spans(self) -> tuple[Span, ...]:
        """Jobs and waits, as far as they were noted."""
        return tuple(span for event in self.events if isinstance(event, Walked) for span in event.spans)

    @property
    def bars(self) -> tuple[Bar, ...]:
        """Attempts at steps, in the order in which they began."""
        return tuple(sorted(_bars(self), key=lambda bar: bar.began))


@dataclass(frozen=True, slots=True)
class Story:
    """A whole state file; ``retold`` says that its beginning was rebuilt from the hosts, without times."""

    opened: Opened
    saved: Saved | None
    processes: tuple[Process, ...]
    retold: bool

    @property
    def last(self) -> Process | None:
        """The process that worked on it last."""
        return self.processes[-1] if self.processes else None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host of the run: members first."""
        return self.opened.facts.hosts

    @property
    def ended(self) -> datetime:
        """When the last event was noted."""
        return self.last.ended if self.last else self.opened.at

    @property
    def notes_spans(self) -> bool:
        """Whether jobs and waits were noted; older versions did not."""
        return any(process.spans for process in self.processes)


def tell(events: Sequence[Recorded]) -> Story:
    """Return the story of a state file's events; ValueError if there is no header."""
    if not events or not isinstance(events[0], Opened):
        raise ValueError("the events have no header")
    retold = any(isinstance(event, Recovered) for event in events)
    kept = tuple(events)
    if retold:  # their time is that of the recovery
        first = next((n for n, event in enumerate(kept) if isinstance(event, RunBegan)), len(kept))
        kept = kept[first:]
    saved = next((event for event in events if isinstance(event, Saved)), None)
    return Story(events[0], saved, tuple(_processes(kept)), retold)


def _processes(events: Iterable[Recorded]) -> Iterator[Process]:
    """Cut events where a process begins; the header and the backup are the first one's."""
    current: list[Recorded] = []
    run: RunBegan | None = None
    for event in events:
        if isinstance(event, RunBegan):
            if run is not None:
                yield Process(tuple(current), run)
                current = []
            run = event
        current.append(event)
    if current:
        yield Process(tuple(current), run)


def _bars(process: Process) -> Iterator[Bar]:
    under_way: dict[str, Bar] = {}
    for event in process.events:
        match event:
            case StepStarted():
                bar = Bar(event.step, event.host, event.at, event.at, event.attempt, "in doubt")
                under_way[event.step] = bar
            case StepSucceeded() if event.step in under_way:
                yield _ended(under_way.pop(event.step), event.at, "succeeded")
            case StepSucceeded():
                yield Bar(event.step, event.host, event.at, event.at, 0, "found done")
            case StepFailed() if event.step in under_way:
                yield _ended(under_way.pop(event.step), event.at, "failed", event.reason)
            case _:
                pass
    for bar in under_way.values():
        yield _ended(bar, process.ended, "in doubt")


def _ended(bar: Bar, at: datetime, ending: Ending, reason: str = "") -> Bar:
    return replace(bar, ended=max(at, bar.began), ending=ending, reason=reason)
