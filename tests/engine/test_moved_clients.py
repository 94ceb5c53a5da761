"""Clients that systemd runs on members' hosts: moved one host at a time, given back by a rollback."""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from engine.walking import context, run
from engine.world import FakeHost, World, make_cluster

from orchestrator.commands import files
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import OrchestratorError, RefusedError, StoppedError
from orchestrator.etcd.facts import watched
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import Operation, ReplaceFile, Run
from orchestrator.host.questions import Answer, HttpProbe, Question
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.model import Clients, Cluster, Watch
from orchestrator.plan.sections import ClientFile, ClientUnit
from orchestrator.remote.executor import LiveExecutor
from orchestrator.report.review import operation_lines
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook
from orchestrator.session import Session

PATH = "/etc/patroni/config.yml"
OLD = "password: hunter2\nprotocol: http\n"
NEW = "password: hunter3\nprotocol: https\n"
HEALTHY = "patronictl list"


class CrashError(BaseException):
    """The orchestrator is gone at this moment; nothing may catch it."""


class ClientWorld(World):
    """A world whose members' hosts run Patroni; each host keeps what it was told about it."""

    def __init__(self, cluster: Cluster, mode: int) -> None:
        super().__init__(cluster)
        self.kept: dict[tuple[str, str], str] = {}
        self.began: list[str] = []
        self.unwell: set[str] = set()
        for host in self.hosts.values():
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
        return {name: host.files for name, host in self.world.hosts.items()}


def clients(folder: Path, **fields: object) -> Clients:
    for number in (1, 2, 3):
        (folder / f"server{number}.yml").write_text(NEW)
    file = ClientFile(path=PATH, content=folder / "{name}.yml")
    unit = ClientUnit(unit="patroni", files=(file,), before="pause", after="resume", healthy=HEALTHY)
    return Clients(overlap=True, units=(unit.model_copy(update=fields),))


def begun(folder: Path, mode: int = 0o640, **fields: object) -> Walk:
    cluster = make_cluster(folder).model_copy(update={"clients": clients(folder, **fields), "watch": Watch()})
    world = ClientWorld(cluster, mode)
    facts = gather(cluster, world.look)
    bridge = MIGRATIONS["bridge"]
    return Walk(
        cluster, world, compile_forward(cluster, facts, bridge), compile_backward(cluster, facts, bridge)
    )


def contents(walk: Walk) -> list[str]:
    return [host.files[PATH][0] for host in walk.world.hosts.values()]


def test_clients_are_moved_before_http_is_closed_and_given_back(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    first = deepcopy(walk.files)
    assert [stage.round for stage in walk.there.stages][-4:] == ["bridge", "move-clients", "switch", "seal"]
    walk.go(walk.there, until="moved")
    assert contents(walk) == [NEW] * 3
    each = ("pause", "try-restart patroni.service", "resume")
    assert [f"server{number} {what}" for number in (1, 2, 3) for what in each] == walk.world.began
    assert {host.files[PATH][1:] for host in walk.world.hosts.values()} == {(0o640, "root", "postgres")}
    walk.go(walk.there)
    assert {"sealed"} == set(walk.event_log.progress.states.values())
    walk.go(walk.back)
    assert first == walk.files
    assert {} == walk.world.kept


def test_only_the_named_hosts_have_it_and_the_others_stay_as_they_are(tmp_path: Path) -> None:
    walk = begun(tmp_path, on=("server2",), restart="reload", before=None, after=None)
    walk.go(walk.there, until="moved")
    assert contents(walk) == [OLD, NEW, OLD]
    assert ["server2 reload patroni.service"] == walk.world.began


def test_a_client_that_has_its_new_content_already_is_left_alone(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    for host in walk.world.hosts.values():
        host.files[PATH] = (NEW, 0o640, "root", "postgres")
    facts = gather(walk.cluster, walk.world.look)
    step = compile_forward(walk.cluster, facts, MIGRATIONS["bridge"]).step("move-clients/server1")
    assert () == step.operations


def test_a_plan_without_such_clients_has_no_such_round(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    runbook = compile_forward(cluster, gather(cluster, World(cluster).look), MIGRATIONS["bridge"])
    assert "move-clients" not in [stage.round for stage in runbook.stages]
    assert ("bridged", "switched") == (
        runbook.step("switch/server1").source,
        runbook.step("switch/server1").target,
    )


@pytest.mark.parametrize("way", ["there", "back"])
def test_wherever_a_run_ends_it_goes_on_from_there(tmp_path: Path, way: str) -> None:
    walk = begun(tmp_path)
    first = deepcopy(walk.files)
    walk.go(walk.there, until="bridged")
    at_bridged = deepcopy(walk.files)
    ends: dict[str, tuple[Callable[[Walk], None], str]] = {
        "there": (lambda one: one.go(one.there, until="moved"), NEW),
        "back": (lambda one: one.go(one.back, until="bridged"), OLD),
    }
    if way == "back":
        walk.go(walk.there, until="moved")
    go, content = ends[way]
    counted = walk.struck(-1)
    go(counted)
    assert first != at_bridged
    for strike in _of_one_host(counted.moments):
        one = walk.struck(strike)
        with suppress(CrashError):
            go(one)
        one.strike = -1
        go(one)
        assert contents(one) == [content] * 3, counted.moments[strike]
        # the file alone says nothing of what the client runs with: each has read it anew, to the end
        hooks = [
            word for host in ("server1", "server2", "server3") for word in (f"{host} pause", f"{host} resume")
        ]
        assert set(hooks) <= set(one.world.began[len(walk.world.began) :]), counted.moments[strike]
        if way == "back":
            assert at_bridged == one.files


def _of_one_host(moments: list[str]) -> Iterable[int]:
    return (number for number, name in enumerate(moments) if "server1" in name)


def test_a_client_that_is_not_well_stops_the_run_before_the_next_host(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    walk.world.unwell = {"server1"}
    with pytest.raises(OrchestratorError, match="patroni is not well, says its command 'healthy': no leader"):
        walk.go(walk.there, until="moved")
    assert contents(walk) == [NEW, OLD, OLD]
    walk.world.unwell = set()
    walk.go(walk.back)
    assert contents(walk) == [OLD] * 3


def test_a_change_by_hand_behind_the_step_is_named_and_stays(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    walk.go(walk.there, until="moved")
    host = walk.world.hosts["server1"]
    host.files[PATH] = (f"{NEW}# by hand\n", *host.files[PATH][1:])
    for runbook in (walk.there, walk.back):
        with pytest.raises(StoppedError, match=f"manual change found: server1: .*{PATH} is not as the plan"):
            walk.go(runbook)
    assert f"{NEW}# by hand\n" == contents(walk)[0]


def test_what_differs_is_shown_without_secrets_and_only_what_everybody_may_read(tmp_path: Path) -> None:
    shown = _shown(begun(tmp_path, 0o644))
    assert [
        "  | @@ -2 +2 @@",
        "  | -protocol: http",
        "  | +protocol: https",
    ] == shown
    assert ["  | (what differs is not shown: not everybody may read the file, 0640 root:postgres)"] == _shown(
        begun(tmp_path)
    )


def _shown(walk: Walk) -> list[str]:
    operation = walk.there.step("move-clients/server1").operations[0]
    assert "hunter" not in repr(operation)
    return list(operation_lines(operation))[1:]


def test_a_content_that_was_changed_since_the_run_began_is_refused(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    facts = gather(walk.cluster, walk.world.look)
    (tmp_path / "server2.yml").write_text("anything else")
    with pytest.raises(RefusedError, match=r"server2\.yml was changed"):
        compile_forward(walk.cluster, facts, MIGRATIONS["bridge"])


def test_a_file_that_is_not_there_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    del walk.world.hosts["server3"].files[PATH]
    with pytest.raises(RefusedError, match=f"server3: client patroni: {PATH} is not there"):
        gather(walk.cluster, walk.world.look)


def test_files_tells_where_a_clients_old_and_new_content_are(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    session = Session(
        tmp_path / "plan.yaml", tmp_path / "state", walk.cluster, MIGRATIONS["bridge"], (), walk.world
    )
    shown = files.reported(session, "server1")
    assert "\nfrom moved on:\n  replace /etc/patroni/config.yml (sha256 " in shown
    assert "  the new content is the plan's (clients.units)" in shown
    assert f"for root alone: /var/lib/orchestrator/replaced{PATH}" in shown
    assert "hunter" not in shown
