"""How far a run has come: a fold over the events of its state file; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.engine.events import (
    Direction,
    HandedOver,
    Opened,
    Recorded,
    RunBegan,
    RunEnded,
    Saved,
    StepFailed,
    StepStarted,
    StepSucceeded,
)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A step that began and did not succeed: in doubt without an ending, otherwise failed."""

    step: str
    source: str
    target: str
    attempt: int
    is_failed: bool = False


@dataclass(slots=True)
class Progress:
    """Where every member stands that has moved, and what is unsettled, by the member's name."""

    opened: Opened | None = None
    states: dict[str, str] = field(default_factory=dict)
    unsettled: dict[str, Unsettled] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    handovers: dict[str, int] = field(default_factory=dict)
    outcome: str | None = None
    direction: Direction = "forward"
    saved: Saved | None = None

    @classmethod
    def of(cls, events: Iterable[Recorded]) -> "Progress":
        """Fold events into progress."""
        progress = cls()
        for event in events:
            progress.take(event)
        return progress

    def take(self, event: Recorded) -> None:
        """Take one more event in."""
        match event:
            case Opened():
                self.opened = event
            case Saved():
                self.saved = event
            case StepStarted():
                self.attempts[event.step] = event.attempt
                self.unsettled[event.host] = Unsettled(event.step, event.source, event.target, event.attempt)
            case HandedOver():
                self.handovers[event.step] = self.handovers.get(event.step, 0) + 1
            case StepSucceeded():
                self.states[event.host] = event.target
                self.unsettled.pop(event.host, None)
            case StepFailed():
                doubt = self.unsettled[event.host]
                self.unsettled[event.host] = Unsettled(
                    doubt.step, doubt.source, doubt.target, doubt.attempt, is_failed=True
                )
            case RunBegan():
                self.outcome, self.direction = None, event.direction
            case RunEnded():
                self.outcome = event.outcome
            case _:
                pass

    @property
    def is_finished(self) -> bool:
        """Whether the last run walked every host to the end."""
        return self.outcome == "finished" and self.direction == "forward" and not self.unsettled

    @property
    def is_rolled_back(self) -> bool:
        """Whether the last run walked every host back to where it had stood."""
        return self.outcome == "finished" and self.direction == "back" and not self.unsettled

    def steps_back(self, tracks: Mapping[str, Sequence[str]]) -> int:
        """How many steps would undo everything; ``tracks`` are the hosts' states on the way there."""
        total = 0
        for host, track in tracks.items():
            here = track.index(self.states.get(host, track[0]))
            unsettled = self.unsettled.get(host)
            # a step that is unsettled may have been done: its end counts, whichever way it went
            total += here if unsettled is None else track.index(unsettled.target)
        return total
