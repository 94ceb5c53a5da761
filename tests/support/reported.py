"""A run whose times are always the same, for tests of its report: paused, resumed an hour later, finished."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.walking import context, header
from engine.world import World, make_cluster

from orchestrator.engine import run as engine
from orchestrator.engine.events import Opened, Recorded, RunBegan, Saved, Walked
from orchestrator.engine.progress import Progress
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.gather import gather
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.migrations.table import Migration
from orchestrator.plan.model import Cluster, Patience
from orchestrator.remote.executor import LiveExecutor
from orchestrator.report.html.page import Commands, Filed, Material, Review
from orchestrator.report.html.story import tell
from orchestrator.runbook.compile import compile_forward
from orchestrator.runbook.model import Runbook

BEGAN = datetime(2026, 3, 4, 22, 0, tzinfo=UTC)
PAUSE = timedelta(hours=1)
KEPT = "/var/lib/orchestrator/ab12cd34"


def walked(folder: Path) -> tuple[Cluster, Runbook, tuple[Recorded, ...]]:
    """Walk a cluster to its end in two processes; one member is slow to start in the second."""
    cluster = make_cluster(folder).model_copy(update={"patience": Patience(gate_s=5.0, pause_s=0.0)})
    world = World(cluster)
    facts = gather(cluster, world.look)
    runbook = compile_forward(cluster, facts, BRIDGE)
    event_log = MemoryEventLog()
    event_log.append(header(facts, runbook))
    data, instructions = f"{KEPT}/snapshot.db", f"{KEPT}/RESTORE.txt"
    event_log.append(Saved(host="server1", directory=KEPT, data=data, instructions=instructions))
    for until in ("accepting", None):
        is_resumed = until is None
        event_log.append(
            RunBegan(pid=7, host="bastion", user="anna", runbook=runbook.digest, is_resumed=is_resumed)
        )
        engine.run(runbook, LiveExecutor(world), event_log, context(cluster), until=until)
        world.hosts["server3"].start_takes_looks = 2
    return cluster, runbook, tuple(timed(event_log.events))


def timed(events: Sequence[Recorded]) -> Iterator[Recorded]:
    """Give events times of their own: two seconds after each other, and an hour between two processes."""
    at = BEGAN
    for number, event in enumerate(events):
        is_resumed = isinstance(event, RunBegan) and event.is_resumed
        at += PAUSE if is_resumed else timedelta(seconds=2 if number else 0)
        changed: dict[str, object] = {"at": at}
        if isinstance(event, Opened | RunBegan):
            changed["runbook"] = "cd" * 32  # what a runbook does is not what a report is about
        if isinstance(event, Walked):
            changed["spans"] = tuple(
                span.model_copy(update={"at": at - timedelta(seconds=1.5 - n / 2), "took_s": 0.5})
                for n, span in enumerate(event.spans)
            )
        yield event.model_copy(update=changed)


def usual() -> Migration:
    """The rounds that a plan has which asks for nothing more."""
    with TemporaryDirectory() as folder:
        return BRIDGE.of(make_cluster(Path(folder)))


def material(events: Sequence[Recorded], runbook: Runbook | None = None) -> Material:
    """What a page is made of, without anything of this machine."""
    steps = runbook.steps.values() if runbook else ()
    return Material(
        tell(events),
        Progress.of(events),
        usual(),
        "/srv/plan.yaml",
        Filed("/srv/plan.yaml.state.jsonl", "ab" * 32, 4321, is_in_use=False),
        "0",
        BEGAN + timedelta(days=1),
        Commands("orchestrator clients plan.yaml", "sha256sum /srv/plan.yaml.state.jsonl"),
        restarting=frozenset(step.id for step in steps if step.restarts),
        reviews=(Review("The way there", REVIEW),),
    )


REVIEW = """\
CUT OFF: from the round 'switch' on a client port speaks https only

Migration bridge of cluster three-members.

Round edit: sealed -> edited, one by one

  1. server1: edit (no restart)
       edit /etc/etcd.conf (sha256 0011…)
  | line 3:
  | - listen-client-urls: http://0.0.0.0:2379
  | + listen-client-urls: https://0.0.0.0:2379
"""
