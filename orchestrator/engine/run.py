"""Running: one function for a new run, a resume, a dry run and a rollback; it never asks which it is."""

from collections.abc import Callable, Sequence

from orchestrator.engine import at_once, together, wait
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import RoundBegan, RunEnded
from orchestrator.engine.halt import Halt, said_once
from orchestrator.engine.leave import ObjectionError
from orchestrator.engine.machine import MemberMachine
from orchestrator.engine.state_file import EventLog
from orchestrator.engine.step import JobFailedError, Walker
from orchestrator.engine.turns import Turns
from orchestrator.errors import (
    HostUnreachableError,
    LockedError,
    LoginRefusedError,
    OrchestratorError,
    PersonNeededError,
    RefusedError,
    RunInterruptedError,
    StoppedError,
    UnwritableError,
)
from orchestrator.host.checks import Check, Poll
from orchestrator.migrations.table import Advice
from orchestrator.remote.executor import Executor
from orchestrator.runbook import drift
from orchestrator.runbook.model import Runbook, Stage, Step
from orchestrator.text import in_one_line, laid_out

Take = Callable[[Step, Poll | None], None]


def run(
    runbook: Runbook,
    executor: Executor,
    event_log: EventLog,
    context: RunContext,
    *,
    until: str | None = None,
) -> None:
    """Walk every member through the runbook, from wherever the event log says that it stands.

    A round is a barrier: nobody begins one before everybody has finished the one before. ``until`` names a
    state after which to pause. Raises RefusedError if nothing was changed yet, StoppedError if the cluster is
    healthy and the run can be resumed, PersonNeededError if it is not, RunInterruptedError if asked to stop,
    LockedError if a host's lock was taken away.
    """
    _Walk(runbook, executor, event_log, context).go(until)


class _Walk:
    """One run of one runbook."""

    def __init__(
        self, runbook: Runbook, executor: Executor, event_log: EventLog, context: RunContext
    ) -> None:
        self._runbook = runbook
        self._executor = executor
        self._event_log = event_log
        self._context = context
        self._walker = Walker(executor, event_log, context)
        self._halt = Halt(runbook, event_log, context, self._walker.looks)
        self._turns = Turns(runbook, self._walker, event_log, context, self._halt)
        self._machines = {
            host: MemberMachine(runbook, host, self._standing(host), self._walker.take)
            for host in runbook.tracks
        }

    def _standing(self, member: str) -> str:
        """State in which a member begins; a step of the other direction is undone from where it led."""
        progress = self._event_log.progress
        unsettled = progress.unsettled.get(member)
        if unsettled is None:
            return progress.states.get(member, self._runbook.origins[member])
        return unsettled.source if unsettled.step in self._runbook.steps else unsettled.target

    def go(self, until: str | None) -> None:
        try:
            ending = self._take_rounds(until)
            self._walker.record(ending)
        except UnwritableError as error:
            raise self._halt.stopped(str(error)) from error
        except RunInterruptedError as error:
            self._end(RunEnded(outcome="interrupted", reason=in_one_line(str(error))), error)
            raise
        except (StoppedError, PersonNeededError, LockedError) as error:
            self._end(RunEnded(outcome="stopped", reason=in_one_line(str(error))), error)
            raise

    def _take_rounds(self, until: str | None) -> RunEnded:
        """Take every round, or those to a state, and return how the run ends."""
        try:
            self._verify_standing()
            is_paused = False
            for stage in self._runbook.stages:
                self._take_round(stage)
                is_paused = stage.target == until and stage is not self._runbook.stages[-1]
                if is_paused:
                    break
            self._context.witness.end()
            self._walker.leave.heed("stopped behind the last step")
        except ObjectionError as error:
            self._halt.reset()
            raise self._halt.stopped(str(error)) from error
        if is_paused:
            return RunEnded(outcome="paused", reason=f"every member has reached {until}")
        return RunEnded(outcome="finished")

    def _end(self, ending: RunEnded, error: OrchestratorError) -> None:
        """Note an ending; where that fails, why the run stopped is reported all the same."""
        self._context.witness.end()
        try:
            self._walker.record(ending)
        except UnwritableError as unwritable:
            raise type(error)(laid_out(str(error), str(unwritable))) from error

    def _verify_standing(self) -> None:
        """Look whether every member stands where the event log says, before anything is done.

        One whose step is unsettled stands between two states: there only a manual change makes a difference.
        """
        unsettled, states = self._event_log.progress.unsettled, self._runbook.gates
        settled = [(host, machine.state) for host, machine in self._machines.items() if host not in unsettled]
        standing = tuple(gate_ for place in settled for gate_ in self._runbook.standing[place])
        if not self._event_log.progress.attempts:
            refusals = self._executor.refusals(standing + self._halt.always)
            if refusals:
                first, *more = map(str, refusals)
                raise RefusedError(laid_out(f"nothing was changed: {first}", *more))
            return
        touched = (
            *(gate_ for place in settled for gate_ in drift.alone(states[place])),
            *(
                drift.half_way(host, doubt.step, states[host, doubt.source], states[host, doubt.target])
                for host, doubt in unsettled.items()
            ),
        )
        try:
            self._refuse_touched(touched)
            is_away = any(self._is_away(stage) for stage in self._runbook.stages)
            self._walker.looks.hold(touched if is_away else (*standing, *touched), "members")
        except wait.NotYetError as error:
            reason = f"the hosts are not as the state file left them: {error}"
            raise self._halt.stopped(reason, self._advice()) from error

    def _refuse_touched(self, gates: Sequence[Check]) -> None:
        """Stop at a manual change; waiting does not fix it, as it may fix who cannot be asked."""
        try:
            wait.look(self._executor, gates)
        except wait.UnseenError:
            pass
        except wait.NotYetError as error:
            shown = ", ".join(f"orchestrator files PLAN {host}" for host in error.places)
            reason = (
                f"manual change found: {error}. Nothing was changed. Put that back first; "
                f"the expected content is shown by: {shown}"
            )
            raise self._halt.stopped(reason, self._advice()) from error

    def _advice(self) -> Advice | None:
        """Return what is to be known of the first round that somebody still has to take."""
        return next((stage.advice for stage in self._runbook.stages if self._pending(stage)), None)

    def _pending(self, stage: Stage) -> list[Step]:
        return [step for step in stage.steps if self._machines[step.host].state == stage.source]

    def _is_away(self, stage: Stage) -> bool:
        """Whether a host is away by its step, which is taken again or undone here: others may lack it."""
        return any(map(self._walker.is_away, self._pending(stage)))

    def _take_anew(self, stage: Stage) -> Stage:
        """Undo what some hosts have taken of a round that all have to take together."""
        progress = self._event_log.progress
        if together.is_passed(self._runbook, stage, progress):
            return together.without_proof(stage)
        for steps in together.undone_first(self._runbook, stage, progress):
            first, hosts = steps[0], tuple(step.host for step in steps)
            self._walker.record(
                RoundBegan(round=first.round, target=first.target, hosts=hosts, order=stage.order, last=None)
            )
            for step in steps:
                self._walker.leave.refuse_to_begin(step)
                self._walker.leave.ask(step)
                self._settle(step, stage.advice, self._walker.take)
                self._machines[step.host] = MemberMachine(
                    self._runbook, step.host, step.target, self._walker.take
                )
        return stage

    def _take_round(self, stage: Stage) -> None:
        if stage.is_together and self._pending(stage):
            stage = self._take_anew(stage)
        pending = self._pending(stage)
        is_at_once = stage.at_once and not self._context.is_taken_slowly
        announced = False
        while pending:
            self._walker.leave.refuse_to_begin(pending[0])
            self._wait_for_those_outside(stage, pending)
            self._turns.soak(stage, pending)
            step, last = self._turns.choose(stage, pending)
            hand_over = stage.last if step.host == last else None
            if not announced:
                hosts = tuple(step.host for step in pending)
                self._walker.record(
                    RoundBegan(
                        round=stage.round,
                        target=stage.target,
                        hosts=hosts,
                        order=stage.order,
                        last=last,
                        at_once=is_at_once,
                    )
                )
                announced = True
            if is_at_once and step.host not in self._event_log.progress.unsettled:
                self._take_at_once(stage, pending)
                return
            self._settle(step, stage.advice, self._machines[step.host].step, hand_over)
            pending.remove(step)

    def _take_at_once(self, stage: Stage, steps: Sequence[Step]) -> None:
        """Take steps that were not begun before at once; of those that are under way none stops another."""
        self._halt.reset()
        try:
            errors = at_once.begin(self._walker, self._event_log, self._context, steps)
        except (wait.NotYetError, HostUnreachableError, LoginRefusedError) as error:
            raise self._halt.stopped(self._halt.failure(steps[0], error), stage.advice) from error
        begun = [step for step in steps if step.id in self._event_log.progress.steps]
        failed = (step for step in begun if step.id in errors)
        reason = said_once(self._halt.failure(step, errors[step.id]) for step in failed)
        try:
            for step in begun:
                if step.id not in errors:
                    self._machines[step.host].step(step)
            for step in begun:
                found = errors.get(step.id)
                if isinstance(found, JobFailedError | wait.NotYetError | LockedError):
                    self._walker.fail(step, found)  # of a host that was lost nobody knows: it is in doubt
        except UnwritableError as unwritable:
            raise UnwritableError(laid_out(reason, str(unwritable))) from unwritable
        if any(isinstance(error, LockedError) for error in errors.values()):
            raise LockedError(reason)
        if errors:
            raise self._halt.stopped(reason, stage.advice) from ExceptionGroup(reason, [*errors.values()])
        if len(begun) < len(steps):
            self._walker.leave.refuse_to_begin(steps[len(begun)])

    def _wait_for_those_outside(self, stage: Stage, pending: Sequence[Step]) -> None:
        """Wait before a step that begins; one that began goes on."""
        if any(step.host in self._event_log.progress.unsettled for step in pending):
            return
        step = pending[0]
        self._settle(step, stage.advice, lambda step, _: self._walker.leave.wait_for_those_outside(step))

    def _settle(self, step: Step, advice: Advice | None, take: Take, hand_over: Poll | None = None) -> None:
        """Take one step, and say what is true now if it fails."""
        self._halt.reset()
        try:
            take(step, hand_over)
        except (wait.NotYetError, JobFailedError, HostUnreachableError, LoginRefusedError) as error:
            raise self._halt.stopped(self._halt.failure(step, error), advice) from error
