"""A dry walk through a runbook: what a live one would do, without touching a host."""

from orchestrator.engine.journal import MemoryJournal
from orchestrator.engine.pace import Pace
from orchestrator.engine.progress import Progress
from orchestrator.engine.run import run
from orchestrator.host.operations import Deed
from orchestrator.remote.executor import Hosts, LiveExecutor
from orchestrator.remote.rehearsal import RehearsalExecutor
from orchestrator.runbook.model import Runbook


def rehearse(runbook: Runbook, hosts: Hosts, progress: Progress, pace: Pace) -> list[Deed]:
    """Walk a runbook from where the progress has come to; return what a live run would do, in its order."""
    executor = RehearsalExecutor(LiveExecutor(hosts))
    run(runbook, executor, MemoryJournal(progress=progress.taken_up()), pace)
    return executor.deeds
