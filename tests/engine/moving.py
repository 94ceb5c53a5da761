"""Clients that systemd runs on hosts of a fake world, and runs that move them and that end at a moment."""

import hashlib
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from engine.walking import context, run
from engine.world import FakeHost, World, make_cluster

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.facts import watched
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import Operation, ReplaceFile, Run
from orchestrator.host.questions import Answer, HttpProbe, Question
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.model import ClientHost, Clients, Cluster, Watch
from orchestrator.plan.sections import ClientFile, ClientUnit
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook

PATH = "/etc/patroni/config.yml"
OLD = "password: hunter2\nprotocol: http\n"
NEW = "password: hunter3\nprotocol: https\n"
HEALTHY = "patronictl list"


class CrashError(BaseException):
    """The orchestrator is gone at this moment; nothing may catch it."""


class ClientWorld(World):
    """A world whose hosts run Patroni, but for proxies'; each keeps what stood in its file."""

    def __init__(self, cluster: Cluster, mode: int) -> None:
        super().__init__(cluster)
        self.kept: dict[tuple[str, str], str] = {}
        self.began: list[str] = []
        self.unwell: set[str] = set()
        for host in (*self.hosts.values(), *self.clients.values()):
            host.files[PATH] = (OLD, mode, "root", "postgres")

    def _answer(self, question: Question) -> Answer:
        if isinstance(question, HttpProbe):
            return super()._answer(question)
        script = getattr(question, "script", "")
        if script == watched.SINCE_CHANGE:
            return Answer(0, "since 60.0\nunit patroni active \n")
        if script == watched.HEALTHY:
            return Answer(1, "", "no leader") if question.host in self.unwell else Answer(0, "")
        return super()._answer(question)

    def _do(self, host: FakeHost, operation: Operation) -> None:
        if isinstance(operation, ReplaceFile):
            self._replace(host, operation)
        elif isinstance(operation, Run) and "patroni.service" in operation.argv:
            self.began.append(f"{host.name} {' '.join(operation.argv[1:])}")
        elif isinstance(operation, Run) and operation.argv[:1] == ("sh",) and operation.argv[-1] in HOOKS:
            self.began.append(f"{host.name} {operation.argv[-1]}")
        else:
            super()._do(host, operation)

    def _replace(self, host: FakeHost, operation: ReplaceFile) -> None:
        text, *how = host.files[operation.path]
        found, place = hashlib.sha256(text.encode()).hexdigest(), (host.name, operation.path)
        if found != operation.after:
            assert found == operation.before
            new = operation.content.reveal() if operation.content else self.kept[place]
            if operation.content:
                self.kept[place] = text
            host.files[operation.path] = (new, *how)  # type: ignore[assignment]
        if not operation.content:
            self.kept.pop(place, None)


HOOKS = ("pause", "resume")


@dataclass
class Walk:
    """A world with its story; at one of its moments, -1 for never, the orchestrator ends."""

    cluster: Cluster
    world: ClientWorld
    there: Runbook
    back: Runbook
    event_log: MemoryEventLog = field(default_factory=MemoryEventLog)
    strike: int = -1
    moments: list[str] = field(default_factory=list)

    def go(self, runbook: Runbook, until: str | None = None) -> None:
        run(runbook, LiveExecutor(self.world), self.event_log, context(self.cluster), until=until)

    def struck(self, strike: int) -> "Walk":
        """Another one that goes on from here, to end at a moment."""
        log = MemoryEventLog(tuple(self.event_log.events))
        world = deepcopy(self.world)
        other = Walk(self.cluster, world, self.there, self.back, log, strike)
        world.moment = other._moment
        return other

    def _moment(self, name: str) -> None:
        self.moments.append(name)
        if len(self.moments) - 1 == self.strike:
            raise CrashError

    @property
    def files(self) -> object:
        return {name: host.files for name, host in self.world.everyone.items()}


def clients(folder: Path, elsewhere: tuple[str, ...], **fields: object) -> Clients:
    for name in ("server1", "server2", "server3", *elsewhere):
        (folder / f"{name}.yml").write_text(NEW)
    file = ClientFile(path=PATH, content=folder / "{name}.yml")
    unit = ClientUnit(unit="patroni", files=(file,), before="pause", after="resume", healthy=HEALTHY)
    hosts = tuple(
        ClientHost(name=name, address=f"198.18.0.{number}") for number, name in enumerate(elsewhere, 121)
    )
    return Clients(overlap=True, units=(unit.model_copy(update=fields),), hosts=hosts)


def begun(
    folder: Path,
    mode: int = 0o640,
    elsewhere: tuple[str, ...] = (),
    strategy: str = "bridge",
    **fields: object,
) -> Walk:
    """Begin with Patroni on the members' hosts, or where ``on`` says; ``elsewhere`` are clients' hosts."""
    moved = clients(folder, elsewhere, **fields)
    cluster = make_cluster(folder).model_copy(update={"clients": moved, "watch": Watch()})
    world = ClientWorld(cluster, mode)
    facts = gather(cluster, world.look)
    migration = MIGRATIONS[strategy]
    return Walk(
        cluster,
        world,
        compile_forward(cluster, facts, migration),
        compile_backward(cluster, facts, migration),
    )


def contents(walk: Walk) -> list[str]:
    """Return what stands in the client's file, host by host."""
    return [host.files[PATH][0] for host in walk.world.everyone.values()]
