"""Clusters of one and of two members, which are away while one restarts: there and back again."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from engine.walking import begin, compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine import wait
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import RoundBegan
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.engine.step import Walker
from orchestrator.errors import PersonNeededError, StoppedError
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import Job, JobResult, Operation, Run
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.migrations.guide import GUIDE
from orchestrator.migrations.table import Migration
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook

WAYS: tuple[Callable[..., Runbook], ...] = (compile_forward, compile_backward)


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("until", ["switched", None])
def test_a_small_cluster_gets_there_and_back(tmp_path: Path, members: int, until: str | None) -> None:
    cluster = make_cluster(tmp_path, members=members)
    world = World(cluster)
    there_and_back(cluster, world, until)


@pytest.mark.parametrize("without", [
    {"ETCD_LISTEN_CLIENT_URLS", "ETCD_ADVERTISE_CLIENT_URLS"},
    {"ETCD_INITIAL_CLUSTER"},
    {"ETCD_LISTEN_CLIENT_URLS", "ETCD_ADVERTISE_CLIENT_URLS", "ETCD_INITIAL_CLUSTER"},
])  # fmt: skip
@pytest.mark.parametrize("until", ["accepting", "switched", None])
def test_members_that_leave_settings_to_etcd_get_there_and_back(
    tmp_path: Path, without: set[str], until: str | None
) -> None:
    cluster = make_cluster(tmp_path)
    world = World(cluster)
    for host in world.hosts.values():
        for name in without:
            del host.base[name]
        if "ETCD_INITIAL_CLUSTER" in without:
            host.base["ETCD_DISCOVERY"] = "https://discovery.corp.example/0123"
        host.reload()
        host.environment = dict(host.loaded)
        if "ETCD_ADVERTISE_CLIENT_URLS" in without:
            world.registry[host.id]["clients"] = ["http://localhost:2379"]
    there_and_back(cluster, world, until)
    assert not any("ETCD_INITIAL_CLUSTER" in host.environment for host in world.hosts.values()) or (
        "ETCD_INITIAL_CLUSTER" not in without
    )


def there_and_back(cluster: Cluster, world: World, until: str | None) -> None:
    before = deepcopy(world.snapshot())
    facts = gather(cluster, world.look)
    event_log = MemoryEventLog()
    run(compiled(cluster, world), LiveExecutor(world), event_log, context(cluster), until=until)
    assert {until or "sealed"} == set(event_log.progress.states.values())

    run(
        compile_backward(cluster, facts, BRIDGE),
        LiveExecutor(world),
        event_log,
        context(cluster),
    )
    assert before == world.snapshot()


@pytest.mark.parametrize(("migration", "until"), [(BRIDGE, "sealed"), (GUIDE, "accepting")])
@pytest.mark.parametrize("members", [1, 2, 3])
@pytest.mark.parametrize("goes_on", WAYS)
def test_a_restart_that_failed_and_took_its_member_away_is_taken_again_or_undone(
    tmp_path: Path, migration: Migration, until: str, members: int, goes_on: Callable[..., Runbook]
) -> None:
    cluster = make_cluster(tmp_path, members=members)
    facts = gather(cluster, World(cluster).look)
    there, back = (make(cluster, facts, migration) for make in WAYS)
    goals = [stage.target for stage in there.stages]
    for stage in there.stages[: goals.index(until) + 1]:
        for step in stage.steps:
            if any(map(restarts, step.operations)):
                world, event_log = World(cluster), MemoryEventLog()
                before = deepcopy(world.snapshot())
                if stage is not there.stages[0]:
                    run(there, LiveExecutor(world), event_log, context(cluster), until=stage.source)
                world.hosts[step.host].never_starts = True
                with pytest.raises((PersonNeededError, StoppedError), match=f"{stage.round}/{step.host}: "):
                    run(there, LiveExecutor(world), event_log, context(cluster))
                world.hosts[step.host].never_starts = False

                if goes_on is compile_backward:
                    run(back, LiveExecutor(world), event_log, context(cluster))
                    assert before == world.snapshot(), step.id
                else:
                    run(there, LiveExecutor(world), event_log, context(cluster), until=until)
                    assert {until} == set(event_log.progress.states.values()), step.id


def restarts(operation: Operation) -> bool:
    return isinstance(operation, Run) and operation.restarts_unit


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.pauses = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)

    def of(self, cluster: Cluster) -> RunContext:
        return RunContext(cluster.patience, sleep=self.sleep, clock=lambda: self.now)


def stopped_in_switch(cluster: Cluster, world: World) -> tuple[MemoryEventLog, Runbook]:
    """A run that stopped as server1 did not start again with https."""
    event_log, there = MemoryEventLog(), compiled(cluster, world)
    run(there, LiveExecutor(world), event_log, context(cluster), until="bridged")
    world.hosts["server1"].never_starts = True
    with pytest.raises(PersonNeededError):
        run(there, LiveExecutor(world), event_log, context(cluster))
    assert {"server1"} == event_log.progress.unsettled.keys()
    return event_log, there


def test_a_member_that_is_silent_for_a_moment_is_not_away(tmp_path: Path) -> None:
    """Its restart beside one that is down would take the quorum away."""
    cluster = make_cluster(tmp_path)
    world, pauses = World(cluster), list[float]()
    event_log, there = stopped_in_switch(cluster, world)
    step = there.steps["switch/server1"]

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        world.hosts["server1"].is_running = True  # the election is over

    walker = Walker(LiveExecutor(world), event_log, replace(context(cluster), sleep=sleep))
    assert not walker.is_away(step)
    assert 1 == len(pauses)

    world.hosts["server1"].is_running = False
    walker = Walker(LiveExecutor(world), event_log, replace(context(cluster), sleep=pauses.append))
    assert walker.is_away(step)
    assert sum(pauses) > 5  # longer than an election takes


def test_a_member_that_is_away_is_waited_for_once_on_a_resume(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world, clock = World(cluster), Clock()
    event_log, there = stopped_in_switch(cluster, world)
    world.hosts["server1"].never_starts = False
    run(there, LiveExecutor(world), event_log, clock.of(cluster), until="switched")
    assert {"switched"} == set(event_log.progress.states.values())
    assert 5.0 == sum(clock.pauses)


def test_a_member_that_was_away_is_looked_at_again_each_time_and_anew_after_a_while(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world, clock = World(cluster), Clock()
    event_log, there = stopped_in_switch(cluster, world)
    step = there.steps["switch/server1"]
    walker = Walker(LiveExecutor(world), event_log, clock.of(cluster))
    assert walker.is_away(step)
    assert walker.is_away(step)
    assert 2 == len(clock.pauses)

    world.hosts["server1"].is_running = True
    assert not walker.is_away(step)
    world.hosts["server1"].is_running = False
    assert walker.is_away(step)  # it was there in between: all looks again
    assert 4 == len(clock.pauses)

    clock.now += 3.0  # nobody looked, and it may have come back
    assert walker.is_away(step)
    assert 6 == len(clock.pauses)


def test_a_rollback_restarts_no_member_that_is_merely_silent_beside_one_that_is_down(tmp_path: Path) -> None:
    """With nobody healthy a restart takes nothing away; in an election that is so for a moment only."""
    cluster = make_cluster(tmp_path)
    world, clock = World(cluster), Clock()
    facts, event_log = gather(cluster, world.look), MemoryEventLog()
    run(compiled(cluster, world), LiveExecutor(world), event_log, context(cluster), until="switched")
    back = compile_backward(cluster, facts, BRIDGE)
    step = back.steps["undo-switch/server1"]
    begin(event_log, back)
    hosts = tuple(one.name for one in cluster.members)
    event_log.append(RoundBegan(round=step.round, target=step.target, hosts=hosts, order="leader last"))
    world.hosts["server3"].is_running = False
    world.cut_off.update(world.hosts)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        world.cut_off.clear()  # the election is over

    before = deepcopy(world.snapshot())
    walker = Walker(LiveExecutor(world), event_log, replace(clock.of(cluster), sleep=sleep))
    with pytest.raises(wait.NotYetError, match="server3 is not healthy"):
        walker.take(step, None)
    assert before == world.snapshot()

    world.cut_off.update(world.hosts)
    walker = Walker(LiveExecutor(world), event_log, clock.of(cluster))
    with suppress(wait.NotYetError):  # its gates: server3 is down still
        walker.take(step, None)
    assert before != world.snapshot()


class Failing(LiveExecutor):
    """Hosts on which some jobs fail."""

    def __init__(self, world: World, fails: Callable[[Job], bool]) -> None:
        super().__init__(world)
        self._fails = fails

    def perform(self, job: Job) -> JobResult:
        return JobResult(1, "connection refused") if self._fails(job) else super().perform(job)


def test_a_handover_that_fails_stops_a_run_but_not_one_that_takes_its_step_again(tmp_path: Path) -> None:
    """It may run with its settings from before the step or behind it: nobody knows where it listens."""
    cluster = make_cluster(tmp_path)
    world, event_log = World(cluster), MemoryEventLog()
    there = compiled(cluster, world)
    run(there, LiveExecutor(world), event_log, context(cluster), until="bridged")
    leader = world.leader
    assert leader is not None

    stops = "switch/" + leader
    with pytest.raises(StoppedError, match=f"{stops}: its script ended with 1: connection refused"):
        run(there, Failing(world, lambda job: bool(job.successor)), event_log, context(cluster))
    assert leader == world.leader
    assert {} == event_log.progress.unsettled

    with pytest.raises(StoppedError, match=stops):
        run(
            there,
            Failing(world, lambda job: job.step == stops and not job.successor),
            event_log,
            context(cluster),
        )
    world.leader = leader
    assert {leader} == event_log.progress.unsettled.keys()
    run(there, Failing(world, lambda job: bool(job.successor)), event_log, context(cluster))
    assert {"sealed"} == set(event_log.progress.states.values())
