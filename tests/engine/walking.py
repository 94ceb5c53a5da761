"""Walking a runbook as a process does: it notes the header in an empty journal, then that it began."""

from orchestrator.cluster.facts import Facts
from orchestrator.engine import run as engine
from orchestrator.engine.events import Opened, RoundBegan, RunBegan, StepStarted
from orchestrator.engine.journal import Journal
from orchestrator.engine.pace import Pace
from orchestrator.remote.executor import Executor
from orchestrator.runbook.model import Runbook, Step

RUN = "ab12cd34"
NO_FACTS = Facts(cluster_id="c1", members={})


def header(facts: Facts, runbook: Runbook, run: str = RUN) -> Opened:
    """First line of a runbook's state file."""
    return Opened(
        tool="0",
        run=run,
        cluster=runbook.cluster,
        migration=runbook.migration,
        runbook=runbook.digest,
        facts=facts,
    )


def begin(journal: Journal, runbook: Runbook, facts: Facts = NO_FACTS) -> None:
    """Note that a process has taken the journal."""
    if journal.progress.opened is None:
        journal.append(header(facts, runbook))
    is_back = runbook.stages[0].round.startswith("undo-")
    journal.append(
        RunBegan(
            pid=1,
            host="bastion",
            user="anna",
            runbook=runbook.digest,
            is_resumed=bool(journal.progress.attempts),
            direction="back" if is_back else "forward",
        )
    )


def run(
    runbook: Runbook, executor: Executor, journal: Journal, pace: Pace, *, until: str | None = None
) -> None:
    """Begin or go on, as a new process does."""
    begin(journal, runbook)
    engine.run(runbook, executor, journal, pace, until=until)


def start(journal: Journal, runbook: Runbook, step: Step) -> None:
    """Note that a process began a step; then it is gone."""
    begin(journal, runbook)
    stage = next(stage for stage in runbook.stages if step in stage.steps)
    hosts = tuple(one.host for one in stage.steps)
    journal.append(RoundBegan(round=stage.round, target=stage.target, hosts=hosts, order=stage.order))
    journal.append(
        StepStarted(
            step=step.id,
            host=step.host,
            source=step.source,
            target=step.target,
            attempt=1,
            operations=step.digest,
        )
    )
