"""Clusters of one and of two members, which are away while one restarts: there and back again."""

from copy import deepcopy
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward


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
        compile_backward(cluster, facts, MIGRATIONS["bridge"]),
        LiveExecutor(world),
        event_log,
        context(cluster),
    )
    assert before == world.snapshot()
