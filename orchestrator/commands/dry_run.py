"""A dry walk through a runbook: what a live one would do, without touching a host."""

from orchestrator.engine.context import RunContext
from orchestrator.engine.progress import Progress
from orchestrator.engine.run import run
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.host.operations import Job
from orchestrator.remote.dry_run import DryRunExecutor
from orchestrator.remote.executor import Hosts, LiveExecutor
from orchestrator.runbook.model import Runbook


def rehearse(runbook: Runbook, hosts: Hosts, progress: Progress, context: RunContext) -> list[Job]:
    """Walk a runbook from where the progress has come to; return what a live run would do, in its order."""
    executor = DryRunExecutor(LiveExecutor(hosts))
    run(runbook, executor, MemoryEventLog(progress=progress.taken_up()), context)
    return executor.jobs
