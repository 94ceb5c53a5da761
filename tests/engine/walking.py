"""Walking a runbook as a process does: it notes the header in an empty event_log, then that it began."""

from engine.world import World

from orchestrator import __version__
from orchestrator.engine import run as engine
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Opened, RoundBegan, RunBegan, StepStarted
from orchestrator.engine.state_file import EventLog, MemoryEventLog
from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.facts import Facts
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import Executor, LiveExecutor
from orchestrator.runbook.compile import compile_forward
from orchestrator.runbook.model import Runbook, Step

RUN = "ab12cd34"
NO_FACTS = Facts(cluster_id="c1", members={})


def header(facts: Facts, runbook: Runbook, run: str = RUN) -> Opened:
    """First line of a runbook's state file."""
    return Opened(
        tool=__version__,
        run=run,
        cluster=runbook.cluster,
        migration=runbook.migration,
        runbook=runbook.digest,
        facts=facts,
    )


def begin(event_log: EventLog, runbook: Runbook, facts: Facts = NO_FACTS) -> None:
    """Note that a process has taken the event log."""
    if event_log.progress.opened is None:
        event_log.append(header(facts, runbook))
    is_back = runbook.stages[0].round.startswith("undo-")
    event_log.append(
        RunBegan(
            pid=1,
            host="bastion",
            user="anna",
            runbook=runbook.digest,
            is_resumed=bool(event_log.progress.attempts),
            direction="back" if is_back else "forward",
        )
    )


def run(
    runbook: Runbook,
    executor: Executor,
    event_log: EventLog,
    context: RunContext,
    *,
    until: str | None = None,
) -> None:
    """Begin or go on, as a new process does."""
    begin(event_log, runbook)
    engine.run(runbook, executor, event_log, context, until=until)


def start(event_log: EventLog, runbook: Runbook, step: Step) -> None:
    """Note that a process began a step; then it is gone."""
    begin(event_log, runbook)
    stage = next(stage for stage in runbook.stages if step in stage.steps)
    hosts = tuple(one.host for one in stage.steps)
    event_log.append(RoundBegan(round=stage.round, target=stage.target, hosts=hosts, order=stage.order))
    event_log.append(
        StepStarted(
            step=step.id,
            host=step.host,
            source=step.source,
            target=step.target,
            attempt=1,
            operations=step.digest,
        )
    )


def compiled(cluster: Cluster, world: World, migration: str = "bridge") -> Runbook:
    return compile_forward(cluster, gather(cluster, world.look), MIGRATIONS[migration])


def context(cluster: Cluster) -> RunContext:
    return RunContext(cluster.patience, sleep=lambda _: None)


def in_doubt(cluster: Cluster, world: World, runbook: Runbook) -> MemoryEventLog:
    """A event log of members that are proven, and of a step of server1's that began and has no ending."""
    event_log = MemoryEventLog()
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="proven")
    step = runbook.step("accept/server1")
    start(event_log, runbook, step)
    return event_log
