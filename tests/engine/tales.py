"""Whole stories, as state files tell them: what fails, what is cut off, what goes on and what goes back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from engine.walking import RUN, begin, header, run
from engine.world import World, make_cluster

from orchestrator.engine import run as engine
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Recorded, Saved
from orchestrator.engine.retelling import retell
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import OrchestratorError
from orchestrator.etcd.gather import gather
from orchestrator.host import places
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward, compile_forward

KEPT = places.of_run(RUN)


class GoneError(BaseException):
    """The process is gone at this moment; nothing may catch it."""


class Tale:
    """A cluster with proxies, and how far its story has been told."""

    def __init__(self, folder: Path, members: int = 3, proxies: int = 0) -> None:
        self.cluster: Cluster = make_cluster(folder, members, proxies)
        self.gone_at = ""
        self.world = World(self.cluster, self._moment)
        self.facts = gather(self.cluster, self.world.look)
        self.there = compile_forward(self.cluster, self.facts, BRIDGE)
        self.back = compile_backward(self.cluster, self.facts, BRIDGE)
        self.event_log = MemoryEventLog((header(self.facts, self.there),))
        self.event_log.append(
            Saved(
                host="server1",
                directory=KEPT,
                data=f"{KEPT}/snapshot.db",
                instructions=f"{KEPT}/RESTORE.txt",
                revision=7,
                hash=77,
            )
        )

    @property
    def events(self) -> tuple[Recorded, ...]:
        return tuple(self.event_log.events)

    def _moment(self, name: str) -> None:
        if self.gone_at and self.gone_at in name:
            self.gone_at = ""
            raise GoneError

    def walk(self, until: str | None = None, *, back: bool = False, gone_at: str = "") -> None:
        """Go on or back; with ``gone_at`` until the process is gone at that moment."""
        context, way = (
            RunContext(self.cluster.patience, sleep=lambda _: None),
            self.back if back else self.there,
        )
        if not gone_at:
            return run(way, LiveExecutor(self.world), self.event_log, context, until=until)
        self.gone_at = gone_at
        begin(self.event_log, way)
        with pytest.raises(GoneError):
            engine.run(way, LiveExecutor(self.world), self.event_log, context, until=until)
        return None

    def fail(self) -> None:
        """Come to a step that fails."""
        self.world.hosts["server3"].is_refused_by_peers = True
        with pytest.raises(OrchestratorError):
            self.walk()
        self.world.hosts["server3"].is_refused_by_peers = False

    def remembered(self) -> tuple[Recorded, ...]:
        """What the hosts would tell of it now."""
        hosts = {**self.world.hosts, **self.world.proxies}
        begun = {name: list(host.begun) for name, host in hosts.items()}
        opened = header(self.facts, self.there)
        return retell(opened, (self.there, self.back), begun)


def whole(folder: Path) -> Tale:
    """Tell of a run that paused, failed, died, handed over, came to its end and went half the way back."""
    tale = Tale(folder)
    tale.walk("staged")
    tale.fail()
    tale.walk(gone_at=f"before {RUN}-accept-server3")
    tale.world.leader = "server1"
    tale.walk("switched")
    tale.walk()
    tale.walk(back=True, gone_at=f"after {RUN}-undo-accept-server2")
    return tale


def short(folder: Path) -> Tale:
    """Tell of two members, there and half the way back."""
    tale = Tale(folder, members=2)
    tale.walk("proven")
    tale.walk(gone_at=f"after {RUN}-accept")
    tale.walk(back=True, gone_at=f"after {RUN}-undo-accept")
    return tale


def recovered(folder: Path) -> Tale:
    """Tell what hosts remember of a run that died, and how it went on."""
    tale = whole(folder)
    tale.event_log = MemoryEventLog(tale.remembered())
    tale.walk(back=True, gone_at=f"after {RUN}-undo-stage-server2")
    return tale


TALES: dict[str, Callable[[Path], Tale]] = {"whole": whole, "short": short, "recovered": recovered}
