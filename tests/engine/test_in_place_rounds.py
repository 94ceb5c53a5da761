"""`persist: in_place`: a run ends in the operator's own files, edited, and a rollback undoes it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace

import pytest
from engine.sourced import SourcedWorld, in_a_configuration, in_a_drop_in, in_a_file, in_flags_of_a_drop_in
from engine.walking import context, run
from engine.world import make_cluster

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import OrchestratorError, StoppedError
from orchestrator.etcd.actions import RELOAD
from orchestrator.etcd.gather import gather
from orchestrator.etcd.install import drop_ins
from orchestrator.host.operations import Job, JobResult, Operation, Remove, Run
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook

LISTENERS = {
    ("ETCD_LISTEN_PEER_URLS", "https://0.0.0.0:2380"),
    ("ETCD_LISTEN_CLIENT_URLS", "https://0.0.0.0:2379,http://127.0.0.1:4001"),
    ("ETCD_PEER_CLIENT_CERT_AUTH", "true"),
}
LAYOUTS = (in_a_drop_in, in_a_file, in_flags_of_a_drop_in, in_a_configuration)
Layout = Callable[..., object]


class CrashError(BaseException):
    """The orchestrator is gone at this moment; nothing may catch it."""


@dataclass
class Walk:
    """A world and its story; at a moment of these, -1 for never, a host reboots or the orchestrator ends."""

    cluster: Cluster
    world: SourcedWorld
    there: Runbook
    back: Runbook
    event_log: MemoryEventLog = field(default_factory=MemoryEventLog)
    strike: int = -1
    is_reboot: bool = False
    moments: list[str] = field(default_factory=list)

    @classmethod
    def begun(cls, cluster: Cluster, layout: Layout) -> "Walk":
        world = SourcedWorld(cluster, layout)  # type: ignore[arg-type]
        facts, bridge = gather(cluster, world.look), MIGRATIONS["bridge"]
        return cls(
            cluster,
            world,
            compile_forward(cluster, facts, bridge),
            compile_backward(cluster, facts, bridge),
        )

    def copied(self, strike: int = -1, *, is_reboot: bool = False) -> "Walk":
        """Another one that goes on from here."""
        log, world = MemoryEventLog(tuple(self.event_log.events)), self.world.copied(lambda _: None)
        other = replace(self, world=world, event_log=log, strike=strike, is_reboot=is_reboot, moments=[])
        world.moment = other._moment
        return other

    @property
    def now(self) -> object:
        hosts = self.world.hosts.values()
        return deepcopy([(host.files, host.loaded, host.environment) for host in hosts])

    def _moment(self, name: str) -> None:
        self.moments.append(name)
        if name.startswith("host"):
            host = self.world.hosts[name.split()[2]]
            again = deepcopy(host)
            again.reload()
            assert LISTENERS <= again.loaded.items(), f"a reboot now, {name}, would bring http back"
        if len(self.moments) - 1 != self.strike:
            return
        if not self.is_reboot:
            raise CrashError
        if name.startswith("host"):
            self.world.reboot(name.split()[2])

    def go(self, runbook: Runbook, until: str | None = None) -> None:
        """Walk, and once more if something has struck."""
        for _ in range(2):
            try:
                run(runbook, LiveExecutor(self.world), self.event_log, context(self.cluster), until=until)
            except (CrashError, OrchestratorError):
                assert 0 <= self.strike < len(self.moments)
            else:
                return
        raise AssertionError(self.moments[self.strike])

    def turn(self) -> None:
        """Walk until something strikes, and then back to where every member was sealed."""
        with suppress(CrashError, OrchestratorError):
            run(self.there, LiveExecutor(self.world), self.event_log, context(self.cluster))
        run(self.back, LiveExecutor(self.world), self.event_log, context(self.cluster), until="sealed")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return make_cluster(tmp_path_factory.mktemp("pki")).model_copy(update={"persist": "in_place"})


@pytest.fixture(scope="module", params=LAYOUTS, ids=lambda layout: layout.__name__)
def sealed(request: pytest.FixtureRequest, cluster: Cluster) -> tuple[Walk, Walk]:
    """A walk as it began, and the same where every member is sealed."""
    walk = Walk.begun(cluster, request.param)
    first = walk.copied()
    walk.go(walk.there, until="sealed")
    return first, walk


def test_a_run_ends_in_their_files_and_a_rollback_gives_them_back(sealed: tuple[Walk, Walk]) -> None:
    first, at_sealed = sealed
    walk = at_sealed.copied()
    walk.go(walk.there)
    assert {"settled"} == set(walk.event_log.progress.states.values())
    for host, was in zip(walk.world.hosts.values(), first.world.hosts.values(), strict=True):
        assert [] == [path for path in host.files if any(name in path for name in drop_ins.NAMES.values())]
        for path, (text, *how) in was.files.items():
            assert [*how] == [*host.files[path][1:]]
            assert [line for line in text.splitlines() if line.startswith("#")] == [
                line for line in host.files[path][0].splitlines() if line.startswith("#")
            ]
            assert "http://0.0.0.0" not in host.files[path][0]
        assert host.loaded == at_sealed.world.hosts[host.name].loaded
        running, restarts = dict(host.environment), host.restarts
        assert 2 == restarts
        host.restart()  # by hand, one day
        assert running == host.environment
    walk.world.moment = lambda _: None
    walk.go(walk.back)
    assert first.now == walk.now
    handed = {step.partition("/")[0] for step in walk.event_log.progress.handovers}
    restarts = any(step.restarts for step in walk.back.stages[0].steps)
    assert restarts == ("undo-settle" in handed)  # leadership moves for a restart alone


@pytest.mark.exhaustive
@pytest.mark.parametrize("goes_back", [False, True], ids=["on", "back"])
def test_what_strikes_server1_at_any_moment_is_gone_on_from(
    sealed: tuple[Walk, Walk], *, goes_back: bool
) -> None:
    _, at_sealed = sealed
    counted = at_sealed.copied()
    counted.go(counted.there)
    settled, there, at_settled = counted.now, len(counted.moments), counted.copied()
    counted.go(counted.back, until="sealed")
    sealed_again = counted.now
    # a script on a host goes on without us, so we go before or behind it; the host goes wherever it stands
    struck = [
        (strike, name.startswith("host after"))
        for strike, name in enumerate(counted.moments)
        if "server1" in name and not name.startswith("host before") and (strike < there or not goes_back)
    ]
    assert len(struck) > 10
    for strike, is_reboot in struck:
        is_undoing = strike >= there
        begun = at_settled if is_undoing else at_sealed
        walk = begun.copied(strike - there * is_undoing, is_reboot=is_reboot)
        if is_undoing:
            walk.go(walk.back, until="sealed")
            assert sealed_again == walk.now, counted.moments[strike]
        elif goes_back:
            walk.turn()
            assert at_sealed.now == walk.now, counted.moments[strike]
        else:
            walk.go(walk.there)
            assert settled == walk.now, counted.moments[strike]


def test_nothing_of_ours_goes_where_their_files_say_http_again(sealed: tuple[Walk, Walk]) -> None:
    """Configuration management writes them between two looks: the next start is https all the same."""
    first, at_sealed = sealed
    walk = at_sealed.copied()
    walk.go(walk.there, until="edited")
    (path,) = first.world.hosts["server1"].files
    is_first = True

    def write_anew(name: str) -> None:
        nonlocal is_first
        if is_first and name.startswith("host") and "server1" in name:
            is_first = False
            walk.world.hosts["server1"].files[path] = first.world.hosts["server1"].files[path]

    walk.world.moment = write_anew
    walk.go(walk.there)
    assert not is_first
    again = walk.world.hosts["server1"]
    again.reload()
    assert LISTENERS <= again.loaded.items()


def test_an_etcd_that_ends_while_ours_are_removed_is_started_with_what_systemd_knows(
    sealed: tuple[Walk, Walk],
) -> None:
    _, at_sealed = sealed
    walk = at_sealed.copied()
    step = walk.there.step("settle/server1")
    removed = [one.path for one in step.operations if isinstance(one, Remove)]
    reload = step.operations.index(RELOAD)
    before = [one.path for one in step.operations[:reload] if isinstance(one, Remove)]
    assert before == [path for path in removed if path.endswith(".conf")]


def test_a_rollback_whose_restart_failed_restarts_a_member_with_a_configuration_file_again(
    cluster: Cluster,
) -> None:
    walk = Walk.begun(cluster, in_a_configuration)
    first = walk.copied()
    walk.go(walk.there)
    for host in walk.world.hosts.values():
        host.restart()  # by hand, so that they read their own file
    walk.world.moment = lambda _: None
    fails = [True]

    class Failing(LiveExecutor):
        def perform(self, job: Job) -> JobResult:
            if job.step == "undo-settle/server1" and not job.successor and fails.pop():
                super().perform(replace(job, operations=tuple(_without_restart(job.operations))))
                return JobResult(1, "Failed to restart")
            return super().perform(job)

    with pytest.raises(OrchestratorError, match="undo-settle/server1"):
        run(walk.back, Failing(walk.world), walk.event_log, context(cluster))
    walk.go(walk.back)
    assert first.now == walk.now


def _without_restart(operations: tuple[Operation, ...]) -> Iterator[Operation]:
    yield from (one for one in operations if not (isinstance(one, Run) and one.restarts_unit))


@pytest.mark.parametrize("state", ["sealed", "edited", "settled"])
def test_a_change_by_hand_is_named_and_stays(sealed: tuple[Walk, Walk], state: str) -> None:
    first, at_sealed = sealed
    walk = at_sealed.copied()
    walk.go(walk.there, until=state)
    host = walk.world.hosts["server1"]
    (path,) = first.world.hosts["server1"].files
    text, *how = host.files[path]
    host.files[path] = (f"{text}# by hand\n", *how)  # type: ignore[assignment]
    host.reload()
    before = walk.now
    for runbook in (walk.there, walk.back):
        with pytest.raises(
            StoppedError, match=f"manual change found: server1: .*{path} was changed since the"
        ):
            run(runbook, LiveExecutor(walk.world), walk.event_log, context(walk.cluster))
    assert before == walk.now
