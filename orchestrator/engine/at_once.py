"""Taking steps of a round at once, where nobody goes away by them: their jobs together, one look at all."""

from collections.abc import Mapping, Sequence

from orchestrator.engine import wait
from orchestrator.engine.context import RunContext
from orchestrator.engine.state_file import EventLog
from orchestrator.engine.step import JobFailedError, Walker, gates_behind
from orchestrator.errors import HostUnreachableError, LockedError, LoginRefusedError
from orchestrator.host.operations import Job, JobResult
from orchestrator.runbook.model import Step


def begin(
    walker: Walker, event_log: EventLog, context: RunContext, steps: Sequence[Step]
) -> Mapping[str, Exception]:
    """Do the work of steps that were not begun before, and look at all of them; taking them ends them.

    Jobs that change what members share come one after the other: each once the others are well, and none
    behind one that failed or once somebody asked to stop. Returns what went wrong, by the steps' ids: a
    job or its gates that failed, or a host that was lost.
    """
    batches = [steps] if all(step.stays_on_its_host for step in steps) else [[step] for step in steps]
    begun: list[Step] = []
    errors: dict[str, Exception] = {}
    for batch in batches:
        if errors or (begun and walker.leave.is_refused()):
            break
        walker.looks.stop_the_line([gate_ for step in batch for gate_ in step.always])
        if not begun:
            walker.leave.heed(f"stopped before {batch[0].id}")
        begun += batch
        errors |= _performed(walker, event_log, context, batch)
    return {**errors, **_unfit(walker, [step for step in begun if step.id not in errors])}


def _performed(
    walker: Walker, event_log: EventLog, context: RunContext, steps: Sequence[Step]
) -> Mapping[str, Exception]:
    """Start steps, perform their jobs at the same time, and return what went wrong."""
    attempts = event_log.progress.attempts
    started = [walker.start(step, attempts.get(step.id, 0) + 1) for step in steps]
    jobs = [job for job in started if job.operations]

    def perform(job: Job) -> JobResult | Exception:
        try:
            return walker.perform(job)
        except (JobFailedError, LockedError, HostUnreachableError, LoginRefusedError) as error:
            return error

    results = zip(jobs, context.at_once(perform, jobs), strict=True)
    return {job.step: result for job, result in results if isinstance(result, Exception)}


def _unfit(walker: Walker, steps: Sequence[Step]) -> Mapping[str, Exception]:
    """Wait for the gates of all; once patience ends, say which steps' gates do not hold."""
    try:
        walker.looks.hold([gate_ for step in steps for gate_ in gates_behind(step)], "gates")
    except wait.NotYetError as error:
        if isinstance(error, wait.UnseenError):
            return {step.id: error for step in steps}
        return {step.id: reason for step in steps if (reason := walker.looks.refusal(gates_behind(step)))}
    return {}
