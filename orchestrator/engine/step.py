"""Taking one step: hand over, do the job, wait for the gates; every event is on disk before its job."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from math import inf

from orchestrator.engine import wait
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import HandedOver, Recorded, StepFailed, StepStarted, StepSucceeded, Waiting
from orchestrator.engine.state_file import EventLog
from orchestrator.errors import LockedError, RunInterruptedError, UnwritableError
from orchestrator.host import names
from orchestrator.host.checks import Check, Poll, Remark, wrong
from orchestrator.host.operations import Job, Operation
from orchestrator.host.questions import Answers
from orchestrator.remote.executor import Executor
from orchestrator.runbook.model import Step

_LASTING_LOOKS, _LASTING_PAUSE_S = 3, 2.5  # an election takes 1 to 2 s by etcd's defaults
# What was seen behind one step need not be asked again before the next, unless that takes a member away.
_FRESH_S = 1.0


class JobFailedError(Exception):
    """A job's result says that its script failed on the host."""


def last_words(output: str) -> str:
    """Return the end of what a script printed, on one line; log lines in JSON only if there is no other."""
    lines = output.strip().splitlines()
    plain = [line for line in lines if not line.startswith("{")]
    return " / ".join((plain or lines)[-5:])


class Walker:
    """Takes steps for the members' machines. Raises JobFailedError, or NotYetError when patience ends."""

    def __init__(self, executor: Executor, event_log: EventLog, context: RunContext) -> None:
        self._executor = executor
        self._event_log = event_log
        self._context = context
        if event_log.progress.opened is None:
            raise ValueError("the event log has no header")
        self._run_id = event_log.progress.opened.run  # names the jobs
        self._insisted = ""  # the round in which somebody went on all the same
        self._lasting: dict[tuple[Check, ...], tuple[int, float]] = {}  # looks in a row, and when

    def take(self, step: Step, role: Poll | None) -> None:
        """Do a step's work; called by the member's machine before it moves.

        A step that was begun before is looked at first: if its gates hold it is done. In doubt, it keeps its
        attempt, so that a job that reached the host is not done twice; failed, it is a new attempt. ``role``
        is what the member has to hand over first, if it has to go last.
        """
        began = self._context.clock()
        progress = self._event_log.progress
        unsettled = progress.unsettled.get(step.host)
        is_ours = unsettled is not None and unsettled.step == step.id
        is_adopted = is_ours and not step.repeats and self.holds((*step.gates, *step.proof))
        if not is_adopted:
            is_away = self.is_away(step)
            if not is_away:
                self._stop_the_line(step)
            if role and step.restarts:
                self._hand_over(step, role, may_fail=is_ours)
                if not is_away:
                    self._stop_the_line(step)  # it may have taken a while
            in_doubt = unsettled is not None and is_ours and not unsettled.is_failed
            self._do(step, progress.attempts.get(step.id, 0) + (0 if in_doubt else 1))
        took_s = round(self._context.clock() - began, 3)
        self.record(
            StepSucceeded(
                step=step.id, host=step.host, target=step.target, took_s=took_s, is_adopted=is_adopted
            )
        )

    def find(self, poll: Poll, *, waits: bool) -> str | None:
        """Return the member that a poll finds; ``waits`` for there to be one, or look once."""
        if not waits:
            return wait.glance(self._executor, poll, _FRESH_S)
        return wait.find(
            self._executor, poll, self._context.patience, self._context.sleep, self._tell_waiting, _FRESH_S
        )

    def hold(self, gates: Sequence[Check], *, spent_s: float = 0.0) -> None:
        """Wait until all gates hold, with what is left of the patience."""
        patience = self._context.patience.after(spent_s)
        wait.hold(self._executor, gates, patience, self._context.sleep, self._tell_waiting)

    def holds(self, gates: Sequence[Check]) -> bool:
        """Look once whether all gates hold."""
        try:
            wait.look(self._executor, gates)
        except wait.NotYetError:
            return False
        return True

    def is_away(self, step: Step) -> bool:
        """Whether a step that began and did not succeed took the host away, and this may bring it back."""
        return step.host in self._event_log.progress.unsettled and self._lasts(step.away)

    def _lasts(self, gates: tuple[Check, ...]) -> bool:
        """Look whether gates hold for longer than an election takes, in which nobody is well for a moment.

        To ask again is one more look, as long as no pause between two looks has grown longer.
        """
        if not gates:
            return False
        looks, looked_s = self._lasting.pop(gates, (0, 0.0))
        if self._context.clock() - looked_s > _LASTING_PAUSE_S:
            looks = 0
        while self.holds(gates):
            looks += 1
            if looks >= _LASTING_LOOKS:
                self._lasting[gates] = (looks, self._context.clock())
                return True
            self._context.sleep(_LASTING_PAUSE_S)
        return False

    def _stop_the_line(self, step: Step) -> None:
        """Let nobody go away while another is unwell, unless it has nothing left that it could take away."""

        def ask(max_age_s: float) -> None:
            try:
                wait.look(self._executor, step.always, max_age_s)
            except wait.NotYetError:
                if not self._lasts(step.lost):
                    raise

        max_age_s = 0.0 if step.restarts or step.lost else _FRESH_S
        wait.until(ask, self._context.patience, self._context.sleep, self._tell_waiting, max_age_s)

    def wait_for_those_outside(self, step: Step) -> None:
        """Wait until nobody outside loses by a step, or go on because somebody insists: once for a round.

        A host that cannot be asked says nothing of them: nobody can insist on that.
        """
        if not step.before or self._insisted == step.round:
            return
        patience = self._context.patience

        def ask(gate: Check, max_age_s: float = 0.0) -> None:
            self.refuse_to_begin(step)
            wait.look(self._executor, (gate,), max_age_s)

        try:
            for gate in step.before:
                bearing = patience.longer(gate.takes_s) if self._context.waits else patience.after(inf)
                wait.until(partial(ask, gate), bearing, self._context.sleep, self._tell_waiting)
        except wait.UnseenError:
            raise
        except wait.NotYetError as error:
            # all of them, not those of the first gate alone
            refusals = self._executor.refusals(step.before) or error.refusals
            if not self._context.insist("; ".join(map(str, refusals))):
                helped = (replace(one, reason=f"{one.reason}. {one.fix}") for one in error.refusals)
                raise wait.NotYetError(tuple(helped)) from error
            self._insisted = step.round
        self.refuse_to_begin(step)

    def refuse_to_begin(self, step: Step) -> None:
        """Stop before a step, if somebody has asked for that."""
        if self._context.should_stop():
            raise RunInterruptedError(f"stopped before {step.id}, as asked")

    def record(self, event: Recorded) -> None:
        """Put an event on disk, then tell it."""
        self._event_log.append(event)
        self._context.narrate(event)

    def _hand_over(self, step: Step, role: Poll, *, may_fail: bool) -> None:
        """Let a member that has to go last give that role away before it goes itself.

        It ``may_fail`` where a step was begun before: nobody knows with which settings the member runs, nor
        where it listens. The others are healthy, and etcd hands over by itself as it stops.
        """
        successor = next((name for name, operations in step.hand_overs.items() if operations), None)
        if successor is None:
            return  # nobody to take over, or no such command: etcd hands over by itself as it stops
        number = self._event_log.progress.handovers.get(step.id, 0) + 1
        self.record(HandedOver(step=step.id, host=step.host, successor=successor, number=number))
        name = names.of_handover(self._run_id, step.round, step.host, number)
        try:
            self._perform(step, name, step.hand_overs[successor], successor)
        except JobFailedError as error:
            if not may_fail:
                raise
            self._tell_waiting((f"{step.host} did not hand over, and will as it stops: {error}",))
            return

        def judge(answers: Answers) -> Iterable[Remark]:
            name = role.read(answers)
            if name in {None, step.host}:
                yield wrong(f"it is {name or 'nobody'}")

        self.hold([Check(f"{step.host} handed over", role.facts, judge, name=role.name)])

    def _do(self, step: Step, attempt: int) -> None:
        self.record(
            StepStarted(
                step=step.id,
                host=step.host,
                source=step.source,
                target=step.target,
                attempt=attempt,
                operations=step.digest,
            )
        )
        try:
            if step.operations:
                self._perform(
                    step, names.of_attempt(self._run_id, step.round, step.host, attempt), step.operations
                )
            self.hold((*step.gates, *step.proof, *step.after))
        except (JobFailedError, wait.NotYetError, LockedError) as error:
            self._fail(step, error)
            raise

    def _fail(self, step: Step, error: Exception) -> None:
        """Note a failure; where that fails, why the step failed is reported all the same."""
        try:
            self.record(StepFailed(step=step.id, host=step.host, reason=str(error)))
        except UnwritableError as unwritable:
            raise UnwritableError(f"{step.id}: {error}; besides, {unwritable}") from error

    def _perform(
        self, step: Step, name: str, operations: tuple[Operation, ...], successor: str | None = None
    ) -> None:
        job = Job(
            id=name,
            host=step.host,
            operations=operations,
            deadline_s=step.deadline_s,
            step=step.id,
            successor=successor,
        )
        self._lasting.clear()  # whatever was seen before a job
        result = self._executor.perform(job)
        if result.exit_status != 0:
            raise JobFailedError(f"its script ended with {result.exit_status}: {last_words(result.output)}")

    def _tell_waiting(self, reasons: tuple[str, ...]) -> None:
        self._context.narrate(Waiting(reasons=reasons))
