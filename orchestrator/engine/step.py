"""Taking one step: hand over, do the job, wait for the gates; every event is on disk before its job."""

from collections.abc import Iterable

from orchestrator.engine import wait
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import HandedOver, OfWalk, StepFailed, StepStarted, StepSucceeded
from orchestrator.engine.leave import Leave
from orchestrator.engine.looks import FRESH_S, Looks
from orchestrator.engine.spans import Spans
from orchestrator.engine.state_file import EventLog
from orchestrator.errors import LockedError, UnwritableError
from orchestrator.host import names
from orchestrator.host.checks import Check, Poll, Remark, wrong
from orchestrator.host.operations import Job, JobResult, Operation
from orchestrator.host.questions import Answers
from orchestrator.remote.executor import Executor
from orchestrator.runbook.model import Step
from orchestrator.text import laid_out


class JobFailedError(Exception):
    """A job's result says that its script failed on the host."""


def gates_behind(step: Step) -> tuple[Check, ...]:
    """Gates that have to hold behind a step's job."""
    return (*step.gates, *step.proof, *step.after)


def _job(step: Step, name: str, operations: tuple[Operation, ...], successor: str | None = None) -> Job:
    return Job(
        id=name,
        host=step.host,
        operations=operations,
        deadline_s=step.deadline_s,
        step=step.id,
        successor=successor,
    )


class Walker:
    """Takes steps for the members' machines. Raises JobFailedError, or NotYetError when patience ends."""

    def __init__(self, executor: Executor, event_log: EventLog, context: RunContext) -> None:
        self._executor = executor
        self._event_log = event_log
        self._context = context
        self._spans = Spans(context.clock, context.narrate)
        self.looks = Looks(executor, context, self._spans)
        self.leave = Leave(executor, context, self._spans, self.looks)
        if event_log.progress.opened is None:
            raise ValueError("the event log has no header")
        self._run_id = event_log.progress.opened.run  # names the jobs
        self._began_s: dict[str, float] = {}  # by steps' ids

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
        if step.id in progress.steps:  # begun with others, and its gates hold
            self._succeed(step, self._began_s[step.id])
            return
        is_adopted = is_ours and not step.repeats and self.looks.holds((*step.gates, *step.proof))
        if not is_adopted:
            is_away = self.is_away(step)
            if not is_away:
                self._stop_the_line(step)
                self.leave.heed(f"stopped before {step.id}")  # that may have been what was waited for
            if role and step.restarts:
                self._hand_over(step, role, may_fail=is_ours)
                if not is_away:
                    self._stop_the_line(step)  # it may have taken a while
            in_doubt = unsettled is not None and is_ours and not unsettled.is_failed
            self._do(step, progress.attempts.get(step.id, 0) + (0 if in_doubt else 1))
        self._succeed(step, began, is_adopted=is_adopted)

    def _succeed(self, step: Step, began_s: float, *, is_adopted: bool = False) -> None:
        took_s = round(self._context.clock() - began_s, 3)
        self.record(
            StepSucceeded(
                step=step.id, host=step.host, target=step.target, took_s=took_s, is_adopted=is_adopted
            )
        )

    def is_away(self, step: Step) -> bool:
        """Whether a step that began and did not succeed took the host away, and this may bring it back."""
        return step.host in self._event_log.progress.unsettled and self.looks.are_lasting(step.away)

    def _stop_the_line(self, step: Step) -> None:
        """Let nobody go away while another is unwell, unless it has nothing left that it could take away."""
        max_age_s = 0.0 if step.restarts or step.lost else FRESH_S
        self.looks.stop_the_line(step.always, step.lost, max_age_s)

    def record(self, event: OfWalk) -> None:
        """Put an event on disk, with what took time before it and what was seen, then report it."""
        noted = self._spans.noted(event)
        if self._executor.behind:
            noted = noted.model_copy(update={"behind": dict(self._executor.behind)})
        account = self._context.witness.account()
        if account:
            noted = noted.model_copy(update={"account": account})
        self._event_log.append(noted)
        self._context.narrate(noted)

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
            self.perform(_job(step, name, step.hand_overs[successor], successor))
        except JobFailedError as error:
            if not may_fail:
                raise
            with self._spans.wait("leader", step.host) as report:
                report((f"{step.host} did not hand over, and will as it stops: {error}",))
            return

        def judge(answers: Answers) -> Iterable[Remark]:
            name = role.read(answers)
            if name in {None, step.host}:
                yield wrong(f"it is {name or 'nobody'}")

        self.looks.hold(
            [Check(f"{step.host} handed over", role.facts, judge, name=role.name)], "leader", step.host
        )

    def _do(self, step: Step, attempt: int) -> None:
        job = self.start(step, attempt)
        try:
            if job.operations:
                self.perform(job)
            self.looks.hold(gates_behind(step), "gates", step.host)
        except (JobFailedError, wait.NotYetError, LockedError) as error:
            self.fail(step, error)
            raise

    def start(self, step: Step, attempt: int) -> Job:
        """Note that a step starts, and return its job."""
        self._began_s[step.id] = self._context.clock()
        self.record(
            StepStarted(
                step=step.id,
                host=step.host,
                source=step.source,
                target=step.target,
                attempt=attempt,
                operations=step.digest,
                restarts=step.restarts,
            )
        )
        return _job(step, names.of_attempt(self._run_id, step.round, step.host, attempt), step.operations)

    def fail(self, step: Step, error: Exception) -> None:
        """Note a failure; where that fails, why the step failed is reported all the same."""
        try:
            self.record(StepFailed(step=step.id, host=step.host, reason=str(error)))
        except UnwritableError as unwritable:
            raise UnwritableError(laid_out(f"{step.id}: {error}", str(unwritable))) from error

    def perform(self, job: Job) -> JobResult:
        """Perform a job; raises JobFailedError if its script failed."""
        self.looks.forget()
        with self._spans.job(job.host):
            result = self._executor.perform(job)
        if result.exit_status != 0:
            raise JobFailedError(f"its script ended with {result.exit_status}: {result.last_words}")
        return result
