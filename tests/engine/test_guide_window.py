"""The guide's order on fakes that lose each other at once: it stops in its window, and only goes forward."""

from pathlib import Path
from typing import Literal

import pytest
from engine.walking import context, run
from engine.world import World, make_cluster

from orchestrator.engine.events import HandedOver, StepSucceeded
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import PersonNeededError
from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_forward
from orchestrator.runbook.model import Runbook


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return make_cluster(tmp_path, proxies=1)


def compiled(cluster: Cluster, world: World) -> Runbook:
    return compile_forward(cluster, gather(cluster, world.look), MIGRATIONS["guide"])


def test_it_stops_in_the_window_and_a_resume_rolls_forward_without_a_quorum(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    with pytest.raises(PersonNeededError, match="only rolling forward heals it"):
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert not any(world.reaches_quorum(host) for host in world.hosts.values())

    performed = len(world.performed)
    run(runbook, LiveExecutor(world), event_log, context(cluster))

    assert runbook.finals == event_log.progress.states
    operations = [str(job.operations) for job in world.performed[performed:]]
    assert not any("member" in text and "update" in text for text in operations)
    assert all(world.reaches_quorum(host) for host in world.hosts.values())


def test_a_member_that_has_the_local_port_is_not_restarted_for_it(cluster: Cluster) -> None:
    world = World(cluster)
    for host in world.hosts.values():
        host.base["ETCD_LISTEN_CLIENT_URLS"] = "http://0.0.0.0:2379,http://127.0.0.1:4001"
        host.reload()
        host.environment = dict(host.loaded)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="opened")

    assert [0, 0, 0] == [host.restarts for host in world.hosts.values()]
    assert 3 == sum(isinstance(event, StepSucceeded) for event in event_log.events)
    assert not any(isinstance(event, HandedOver) for event in event_log.events)


@pytest.mark.parametrize(("local", "times"), [(4001, 3), ("none", 2)])
def test_each_member_is_restarted_once_less_without_a_local_port(
    tmp_path: Path, local: int | Literal["none"], times: int
) -> None:
    cluster = make_cluster(tmp_path, proxies=1, local=local)
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    with pytest.raises(PersonNeededError):
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    run(runbook, LiveExecutor(world), event_log, context(cluster))

    assert [times] * 3 == [host.restarts for host in world.hosts.values()]
    assert [1] == [proxy.restarts for proxy in world.proxies.values()]


def test_a_member_that_is_cut_off_goes_before_those_who_keep_the_quorum(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    with pytest.raises(PersonNeededError):
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    # server1 has rolled forward; server3 reaches only a follower, server2 keeps the quorum with server1
    world.leader = "server2"
    world.cut_off = {"server3"}
    before = len(world.performed)
    run(runbook, LiveExecutor(world), event_log, context(cluster))

    order = [job.host for job in world.performed[before:] if job.step.startswith("switch/")]
    assert order.index("server3") < order.index("server2")
    assert runbook.finals == event_log.progress.states
