"""Who comes next in a round, and what is waited for before that."""

from collections.abc import Sequence

from orchestrator.engine import wait
from orchestrator.engine.context import RunContext
from orchestrator.engine.halt import Halt
from orchestrator.engine.state_file import EventLog
from orchestrator.engine.step import Walker
from orchestrator.runbook.model import Runbook, Stage, Step


class Turns:
    """Chooses the step of a round that is taken next."""

    def __init__(
        self, runbook: Runbook, walker: Walker, event_log: EventLog, context: RunContext, halt: Halt
    ) -> None:
        self._runbook = runbook
        self._walker = walker
        self._event_log = event_log
        self._context = context
        self._halt = halt

    def choose(self, stage: Stage, pending: Sequence[Step]) -> tuple[Step, str | None]:
        """Return the step that comes next, and who has to go last.

        Only now: it may have changed while one waited, or while somebody thought about a step.
        """
        asked = None
        while True:
            last = self._find_last(stage, pending)
            step = self._next(stage, pending, last)
            if self._context.permits is None or step is asked:
                return step, last
            self._walker.leave.ask(step)
            asked = step

    def _next(self, stage: Stage, pending: Sequence[Step], last: str | None) -> Step:
        """Choose: whoever is unsettled may be away and goes first, whoever has to go last goes last.

        The canary goes before all others even where it would have to go last: it hands that role over. Hosts
        that take a round together keep the plan's order, by which each one's proof asks for those before it.
        """
        unsettled = self._event_log.progress.unsettled
        canary = None if stage.is_together else self._context.canary
        return min(
            pending,
            key=lambda step: (step.host not in unsettled, step.host != canary, step.host == last),
        )

    def _find_last(self, stage: Stage, pending: Sequence[Step]) -> str | None:
        if stage.last is None:
            return None
        is_away = any(map(self._walker.is_away, pending))
        try:
            return self._walker.looks.find(stage.last, waits=stage.waits and not is_away)
        except wait.NotYetError as error:
            raise self._halt.stopped(str(error), stage.advice) from error

    def soak(self, stage: Stage, pending: Sequence[Step]) -> None:
        """Watch the canary behind its first restart, as long as nobody has followed it."""
        restarts = (step for step in self._runbook.steps.values() if step.restarts)
        canary = next((step for step in restarts if step.host == self._context.canary), None)
        if canary not in stage.steps or [step for step in stage.steps if step is not canary] != list(pending):
            return
        if any(step.host in self._event_log.progress.unsettled for step in pending):
            return
        try:
            self._walker.leave.soak(canary, pending[0])
        except wait.NotYetError as error:
            reason = f"the canary {canary.host} did not stay well after {canary.id}: {error}"
            raise self._halt.stopped(reason, stage.advice) from error
