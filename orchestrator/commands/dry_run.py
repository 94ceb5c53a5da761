"""A dry walk through a runbook: what a live one would do, without touching a host."""

from dataclasses import replace

from orchestrator.engine.context import RunContext, one_after_the_other
from orchestrator.engine.progress import Progress
from orchestrator.engine.run import run
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.host.operations import Job
from orchestrator.remote.dry_run import DryRunExecutor, Unseen
from orchestrator.remote.executor import Hosts, LiveExecutor
from orchestrator.runbook.model import Runbook


def rehearse(runbook: Runbook, hosts: Hosts | None, progress: Progress, context: RunContext) -> list[Job]:
    """Walk a runbook from where the progress has come to; return what a live run would do, in its order.

    Without ``hosts`` nobody is asked: every gate is taken to hold, and the last member to lead.
    """
    last = [*runbook.members.values()][-1]
    executor = DryRunExecutor(Unseen(last) if hosts is None else LiveExecutor(hosts))
    in_order = replace(context, at_once=one_after_the_other)
    run(runbook, executor, MemoryEventLog(progress=progress.taken_up()), in_order)
    return executor.jobs
