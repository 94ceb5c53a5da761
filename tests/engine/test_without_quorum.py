"""Going back when the quorum is gone: by restarts where they help, never by an update that cannot work."""

from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine.context import RunContext
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import PersonNeededError, RunInterruptedError, StoppedError
from orchestrator.etcd.gather import gather
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.plan.model import Cluster
from orchestrator.remote.dry_run import DryRunExecutor
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward
from orchestrator.runbook.model import Runbook


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return make_cluster(tmp_path)


def at(cluster: Cluster, state: str) -> tuple[World, Runbook, MemoryEventLog]:
    """A world whose members all stand in a state, the way back from it, and how it got there."""
    world = World(cluster)
    facts = gather(cluster, world.look)
    event_log = MemoryEventLog()
    run(compiled(cluster, world), LiveExecutor(world), event_log, context(cluster), until=state)
    return world, compile_backward(cluster, facts, BRIDGE), event_log


def well(world: World) -> list[bool]:
    return [world.reaches_quorum(host) for host in world.hosts.values()]


def test_from_switched_restarts_bring_the_quorum_back(cluster: Cluster) -> None:
    world, way_back, event_log = at(cluster, "switched")
    world.is_expired = True
    assert [False] * 3 == well(world)

    run(way_back, LiveExecutor(world), event_log, context(cluster))
    assert dict.fromkeys(world.hosts, "plaintext") == event_log.progress.states
    assert [True] * 3 == well(world)


def test_the_review_of_that_way_back_is_whole_though_nobody_leads(cluster: Cluster) -> None:
    world, way_back, event_log = at(cluster, "switched")
    world.is_expired = True
    done = len(world.performed)

    executor = DryRunExecutor(LiveExecutor(world))
    run(way_back, executor, MemoryEventLog(tuple(event_log.events)), context(cluster))
    rounds = {job.step.split("/")[0] for job in executor.jobs}
    assert {"undo-switch", "undo-bridge", "undo-accept", "undo-stage"} <= rounds
    assert done == len(world.performed)


def test_a_change_by_hand_stops_it_all_the_same(cluster: Cluster) -> None:
    world, way_back, event_log = at(cluster, "switched")
    world.is_expired = True
    path = next(path for path in world.hosts["server2"].files if path.endswith("40-tls.conf"))
    world.hosts["server2"].files[path] = ("by hand", 0o644, "root", "root")
    done = len(world.performed)

    with pytest.raises(PersonNeededError, match=r"40-tls\.conf has another content"):
        run(way_back, LiveExecutor(world), event_log, context(cluster))
    assert done == len(world.performed)


def test_while_connections_last_it_goes_back_from_sealed_whatever_a_handshake_would_say(
    cluster: Cluster,
) -> None:
    world, way_back, event_log = at(cluster, "sealed")
    for host in world.hosts.values():
        host.is_refused_by_peers = True
    assert [True] * 3 == well(world)

    with pytest.raises(StoppedError, match="reachable by every peer over tls"):
        run(compiled(cluster, World(cluster)), LiveExecutor(world), event_log, context(cluster))
    run(way_back, LiveExecutor(world), event_log, context(cluster))
    assert dict.fromkeys(world.hosts, "plaintext") == event_log.progress.states


def test_from_sealed_nothing_is_done_that_cannot_work(cluster: Cluster) -> None:
    world, way_back, event_log = at(cluster, "sealed")
    world.is_expired = True
    done = len(world.performed)

    with pytest.raises(PersonNeededError, match="no 'member update', and members are known by https only"):
        run(way_back, LiveExecutor(world), event_log, context(cluster))
    assert done == len(world.performed)

    world.is_expired = False  # new certificates in the place of the old
    run(way_back, LiveExecutor(world), event_log, context(cluster))
    assert dict.fromkeys(world.hosts, "plaintext") == event_log.progress.states


@pytest.mark.parametrize("state", ["proven", "accepting", "bridged"])
def test_before_the_switch_expired_certificates_break_nothing(cluster: Cluster, state: str) -> None:
    world, way_back, event_log = at(cluster, state)
    world.is_expired = True
    assert [True] * 3 == well(world)
    run(way_back, LiveExecutor(world), event_log, context(cluster))
    assert dict.fromkeys(world.hosts, "plaintext") == event_log.progress.states


def test_members_that_are_down_are_brought_back_with_http(cluster: Cluster) -> None:
    world, way_back, event_log = at(cluster, "switched")
    for name in ("server1", "server3"):
        world.hosts[name].is_running = False
    assert [False] * 3 == well(world)

    run(way_back, LiveExecutor(world), event_log, context(cluster))
    assert dict.fromkeys(world.hosts, "plaintext") == event_log.progress.states
    assert [True] * 3 == well(world)
    assert [4] * 3 == [host.restarts for host in world.hosts.values()]


def test_where_nobody_runs_the_others_have_to_be_started_first(cluster: Cluster) -> None:
    world, way_back, event_log = at(cluster, "switched")
    for host in world.hosts.values():
        host.is_running = False

    with pytest.raises(PersonNeededError, match="start the members that are down first"):
        run(way_back, LiveExecutor(world), event_log, context(cluster))
    for name in ("server2", "server3"):
        world.hosts[name].restart()
    run(way_back, LiveExecutor(world), event_log, context(cluster))
    assert dict.fromkeys(world.hosts, "plaintext") == event_log.progress.states


def test_from_the_middle_of_the_switch_too(cluster: Cluster) -> None:
    world, way_back, event_log = at(cluster, "bridged")
    performed = len(world.performed)
    halfway = RunContext(
        cluster.patience,
        sleep=lambda _: None,
        should_stop=lambda: len(world.performed) > performed,
    )
    with pytest.raises(RunInterruptedError):
        run(compiled(cluster, World(cluster)), LiveExecutor(world), event_log, halfway)
    assert ["bridged", "bridged", "switched"] == sorted(event_log.progress.states.values())

    world.is_expired = True
    run(way_back, LiveExecutor(world), event_log, context(cluster))
    assert dict.fromkeys(world.hosts, "plaintext") == event_log.progress.states
