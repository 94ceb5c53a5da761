"""How far a run has come: a fold over the events of its state file; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self, assert_never

from orchestrator.engine.events import (
    Direction,
    HandedOver,
    Opened,
    Recorded,
    Recovered,
    RoundBegan,
    RunBegan,
    RunEnded,
    Saved,
    StepFailed,
    StepStarted,
    StepSucceeded,
)
from orchestrator.engine.order import Begun, OutOfOrderError, Story, Unsettled


@dataclass(frozen=True, slots=True)
class Progress(Story):
    """Where every member stands that has moved, and what is unsettled, by the member's name."""

    outcome: str | None = None

    @classmethod
    def of(cls, events: Iterable[Recorded]) -> Self:
        """Fold events into progress; raises OutOfOrderError."""
        progress = cls()
        for event in events:
            progress = progress.after(event)
        return progress

    def after(self, event: Recorded) -> Self:
        """Take one more event in; raises OutOfOrderError with the reason if it cannot come next."""
        reason = self.refusal(event)
        if reason:
            raise OutOfOrderError(reason)
        return replace(self._after(event), lines=self.lines + 1)

    def _after(self, event: Recorded) -> Self:
        match event:
            case Opened():
                moved = replace(self, opened=event, phase="opened")
            case Saved():
                moved = replace(self, saved=event)
            case Recovered():
                moved = replace(self, phase="recovered", is_recovered=True)
            case RunBegan():
                moved = replace(self.taken_up(), began=event, outcome=None)
            case RoundBegan():
                moved = replace(self, round=event, pending=event.hosts)
            case RunEnded():
                moved = replace(self.taken_up(), phase="ended", outcome=event.outcome)
            case HandedOver() | StepStarted() | StepSucceeded() | StepFailed():
                moved = self._after_step(event)
            case _:
                assert_never(event)
        return moved

    def _after_step(self, event: HandedOver | StepStarted | StepSucceeded | StepFailed) -> Self:
        is_retold = self.phase == "recovered"
        match event:
            case HandedOver():
                handovers = {**self.handovers, event.step: event.number}
                moved = replace(self, phase="handing", steps=(event.step,), handovers=handovers)
            case StepStarted():
                doubt = Unsettled(event.step, event.source, event.target, event.attempt)
                moved = replace(
                    self,
                    phase="stepping",
                    steps=(*(step for step in self.steps if step != event.step), event.step),
                    begun={**self.begun, event.step: Begun(event, self.lines + 1)},
                    unsettled={**self.unsettled, event.host: doubt},
                )
            case StepSucceeded():
                left = self._left(event.step)
                moved = replace(
                    self,
                    phase="failed" if self.phase == "failed" else "stepping" if left else "running",
                    steps=left,
                    pending=tuple(host for host in self.pending if host != event.host),
                    states={**self.states, event.host: event.target},
                    unsettled={host: doubt for host, doubt in self.unsettled.items() if host != event.host},
                )
            case StepFailed():
                failed = replace(self.unsettled[event.host], is_failed=True)
                unsettled = {**self.unsettled, event.host: failed}
                moved = replace(self, phase="failed", steps=self._left(event.step), unsettled=unsettled)
            case _:
                assert_never(event)
        return replace(moved, phase="recovered", steps=()) if is_retold else moved

    def _left(self, step: str) -> tuple[str, ...]:
        return tuple(one for one in self.steps if one != step)

    def taken_up(self) -> Self:
        """Return it as a process takes it up: nothing is under way, and no round has begun."""
        return replace(self, phase="running", round=None, pending=(), steps=())

    @property
    def attempts(self) -> Mapping[str, int]:
        """How often each step was begun."""
        return {step: begun.event.attempt for step, begun in self.begun.items()}

    @property
    def direction(self) -> Direction:
        """Which way the last run went."""
        return self.began.direction if self.began else "forward"

    @property
    def is_finished(self) -> bool:
        """Whether the last run walked every host to the end."""
        return self.outcome == "finished" and self.direction == "forward" and not self.unsettled

    @property
    def is_under_way(self) -> bool:
        """Whether steps were begun that did not end with every host at the end, or back at the start."""
        return bool(self.begun) and not self.is_finished and not self.is_rolled_back

    @property
    def is_rolled_back(self) -> bool:
        """Whether the last run walked every host back to where it had stood."""
        return self.outcome == "finished" and self.direction == "back" and not self.unsettled

    def steps_ahead(self, tracks: Mapping[str, Sequence[str]]) -> int:
        """How many steps are left; ``tracks`` are the hosts' states on the way there."""
        return sum(
            len(track) - 1 - track.index(self.states.get(host, track[0])) for host, track in tracks.items()
        )

    def steps_back(self, tracks: Mapping[str, Sequence[str]]) -> int:
        """How many steps would undo everything; ``tracks`` are the hosts' states on the way there."""
        total = 0
        for host, track in tracks.items():
            here = track.index(self.states.get(host, track[0]))
            unsettled = self.unsettled.get(host)
            # a step that is unsettled may have been done: its end counts, whichever way it went
            total += here if unsettled is None else track.index(unsettled.target)
        return total
