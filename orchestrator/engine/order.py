"""Which event may follow which: one total function, asked before an event is recorded and when it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, assert_never

from orchestrator.engine.events import (
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
from orchestrator.host import names, places

_OfStep = HandedOver | StepStarted | StepSucceeded | StepFailed
Phase = Literal["empty", "opened", "recovered", "running", "handing", "stepping", "failed", "ended"]

# fmt: off
_MAY: Mapping[type[Recorded], tuple[Phase, ...]] = {
    Opened:        ("empty",),
    Saved:         ("opened",),
    Recovered:     ("opened",),
    RunBegan:      ("opened", "recovered", "running", "handing", "stepping", "failed", "ended"),
    RoundBegan:    ("running",),
    HandedOver:    ("running", "recovered"),
    StepStarted:   ("running", "recovered", "handing", "stepping"),
    StepSucceeded: ("running", "recovered", "stepping"),
    StepFailed:    ("stepping", "failed"),
    RunEnded:      ("running", "handing", "stepping", "failed"),
}
_MEANING: Mapping[Phase, str] = {
    "empty":     "before the header",
    "opened":    "before a run has begun",
    "recovered": "among what the hosts remembered",
    "running":   "between two steps",
    "handing":   "before the step for which a role was handed over",
    "stepping":  "in the middle of a step",
    "failed":    "after a step that failed",
    "ended":     "after the end of a run",
}
# fmt: on


class OutOfOrderError(ValueError):
    """An event that cannot follow those before it."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A step that began and did not succeed: in doubt without an ending, otherwise failed."""

    step: str
    source: str
    target: str
    attempt: int
    is_failed: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """The latest attempt at a step, and the line of the file on which it stands."""

    event: StepStarted
    line: int


@dataclass(frozen=True, slots=True)
class Story:
    """What the events so far say about the next one.

    ``steps`` are those under way: more than one only in a round that hosts take at once. ``pending`` are the
    hosts that have not taken ``round`` yet. ``states``, ``unsettled`` are by host, ``begun`` and
    ``handovers`` by step.
    """

    opened: Opened | None = None
    phase: Phase = "empty"
    lines: int = 0
    saved: Saved | None = None
    is_recovered: bool = False
    began: RunBegan | None = None
    round: RoundBegan | None = None
    pending: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    unsettled: Mapping[str, Unsettled] = field(default_factory=dict)
    begun: Mapping[str, Begun] = field(default_factory=dict)
    handovers: Mapping[str, int] = field(default_factory=dict)

    def refusal(self, event: Recorded) -> str | None:
        """Say why an event cannot come next; None if it can."""
        if self.phase not in _MAY[type(event)]:
            return f"{event.event!r} cannot stand {_MEANING[self.phase]}"
        match event:
            case Opened() | Recovered():
                reason = None
            case Saved():
                reason = self._saved(event)
            case RunBegan():
                reason = self._run_began(event)
            case RoundBegan():
                reason = self._round_began(event)
            case HandedOver() | StepStarted() | StepSucceeded() | StepFailed():
                reason = self._of_step(event)
            case RunEnded():
                reason = self._run_ended(event)
            case _:
                assert_never(event)
        return reason

    def _saved(self, event: Saved) -> str | None:
        if self.saved:
            return "what was there before was saved already"
        kept = places.of_run(self.opened.run if self.opened else "")
        inside = (event.data, event.instructions)
        if event.directory != kept or not all(path.startswith(f"{kept}/") for path in inside):
            return f"it was not saved in {kept}"
        return None

    def _run_began(self, event: RunBegan) -> str | None:
        if event.is_resumed != bool(self.begun):
            return "a step was begun before" if self.begun else "no step was begun before"
        if self.opened and event.direction == "forward" and event.runbook != self.opened.runbook:
            return "its runbook is not the header's"
        return None

    def _round_began(self, event: RoundBegan) -> str | None:
        if self.pending:
            return f"{', '.join(self.pending)} did not take the round before"
        if not event.hosts or len(set(event.hosts)) < len(event.hosts):
            return "it names no host, or one twice"
        if event.at_once and event.last:
            return f"{event.last} cannot go last where all go at once"
        return None

    def _of_step(self, event: _OfStep) -> str | None:
        round_, host = names.round_and_host(event.step)
        if host != event.host:
            return f"{event.step} is no step of {event.host}"
        reason = None if self.phase == "recovered" else self._of_round(event, round_)
        match event:
            case HandedOver():
                return reason or self._handed_over(event)
            case StepStarted():
                return reason or self._step_started(event)
            case StepSucceeded():
                return reason or self._step_succeeded(event)
            case StepFailed():
                return reason

    def _of_round(self, event: _OfStep, round_: str) -> str | None:
        """Say why a step's event does not belong to the step under way, or to the round that has begun."""
        if self.round is None or round_ != self.round.round:
            return f"round {round_} has not begun"
        if event.host not in self.pending:
            return f"{event.host} does not take this round, or has taken it"
        reason = self._under_way(event)
        if reason:
            return reason
        if isinstance(event, StepStarted | StepSucceeded) and event.target != self.round.target:
            return f"round {round_} leads to {self.round.target!r}"
        return None

    def _under_way(self, event: _OfStep) -> str | None:
        """Say why a step's event cannot stand while others are under way, or have just failed."""
        if isinstance(event, StepStarted):
            others = [step for step in self.steps if step != event.step]
            if self.phase == "stepping" and event.step in self.steps:
                return f"{event.step} is under way"
            is_at_once = self.phase == "stepping" and self.round is not None and self.round.at_once
            return f"{', '.join(others)} is under way" if others and not is_at_once else None
        if self.phase == "running" or event.step in self.steps:
            return None
        return f"{', '.join(self.steps)} is under way" if self.steps else f"{event.step} is not under way"

    def _handed_over(self, event: HandedOver) -> str | None:
        before = self.handovers.get(event.step, 0)
        if self.round is not None and self.round.at_once and self.phase != "recovered":
            return "nobody hands over in a round that is taken at once"
        if event.number <= before or (self.phase != "recovered" and event.number != before + 1):
            return f"handover {event.number} cannot follow handover {before}"
        return "it hands over to itself" if event.successor == event.host else None

    def _step_started(self, event: StepStarted) -> str | None:
        begun = self.begun.get(event.step)
        before = begun.event.attempt if begun else 0
        doubt = self.unsettled.get(event.host)
        is_again = doubt is not None and doubt.step == event.step and not doubt.is_failed
        if self.phase == "recovered" and event.attempt <= before:
            return f"attempt {event.attempt} cannot follow attempt {before}"
        if self.phase != "recovered" and event.attempt != before + (0 if is_again else 1):
            return f"attempt {event.attempt} cannot follow attempt {before}"
        if begun and _work(begun.event) != _work(event):
            return f"it is not the step that began on line {begun.line}"
        return None if self.phase == "recovered" else self._leads_on(event, doubt)

    def _leads_on(self, event: StepStarted, doubt: Unsettled | None) -> str | None:
        """Say why a step does not begin where its host stands; one in doubt is taken again, or undone."""
        if doubt is None:
            stands = self.states.get(event.host, event.source)
            return None if event.source == stands else f"{event.host} stands in {stands!r}"
        is_undone = (event.source, event.target) == (doubt.target, doubt.source)
        return None if is_undone or doubt.step == event.step else f"{doubt.step} has not ended"

    def _step_succeeded(self, event: StepSucceeded) -> str | None:
        doubt = self.unsettled.get(event.host)
        if doubt is None or doubt.step != event.step:
            return f"{event.step} was not begun"
        if event.is_adopted == (event.step in self.steps):
            return "it was begun by this run" if event.is_adopted else "it was not begun by this run"
        return None if event.target == doubt.target else f"{event.step} leads to {doubt.target!r}"

    def _run_ended(self, event: RunEnded) -> str | None:
        if event.outcome not in {"finished", "paused"}:
            return None
        if self.phase != "running" or self.pending:
            return f"{', '.join(self.steps or self.pending)} has not ended"
        if event.outcome == "finished" and self.unsettled:
            return f"{', '.join(doubt.step for doubt in self.unsettled.values())} has not ended"
        return None


def _work(event: StepStarted) -> tuple[str, str, str, str]:
    return event.host, event.source, event.target, event.operations
