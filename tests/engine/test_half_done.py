"""Clusters that a playbook left half done: registered with one scheme, and listening with another."""

from copy import deepcopy
from itertools import product
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.facts import peering
from orchestrator.etcd.gather import gather, targets_of
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward

WAYS_TO_REGISTER = {"http": ["http"], "https": ["https"], "both": ["http", "https"]}


def half_done(folder: Path, registered: tuple[str, ...]) -> World:
    """A world whose members listen with http, and are registered like this; only old connections hold."""
    world = World(make_cluster(folder, members=len(registered)))
    for host, how in zip(world.hosts.values(), registered, strict=True):
        world.registry[host.id]["peers"] = [
            f"{scheme}://{host.address}:2380" for scheme in WAYS_TO_REGISTER[how]
        ]
    world.connections_last = True
    return world


@pytest.mark.parametrize("registered", list(product(WAYS_TO_REGISTER, repeat=3)), ids="-".join)
def test_the_first_round_registers_each_member_with_what_it_listens_with(
    tmp_path: Path, registered: tuple[str, ...]
) -> None:
    world = half_done(tmp_path, registered)
    facts = gather(world.cluster, world.look)
    wrong = [name for name, how in zip(world.hosts, registered, strict=True) if how != "http"]
    repairs = list(peering.repairs(targets_of(world.cluster, facts)))
    assert wrong == [each.partition(":")[0] for each in repairs]

    run(
        compiled(world.cluster, world),
        LiveExecutor(world),
        MemoryEventLog(),
        context(world.cluster),
        until="staged",
    )
    assert [[f"http://{host.address}:2380"] for host in world.hosts.values()] == [
        world.registry[host.id]["peers"] for host in world.hosts.values()
    ]
    assert [0, 0, 0] == [host.restarts for host in world.hosts.values()]
    world.connections_last = False
    assert all(map(world.reaches_quorum, world.hosts.values()))


def test_it_is_migrated_then_and_its_way_back_leads_to_members_that_find_each_other(tmp_path: Path) -> None:
    world = half_done(tmp_path, ("https", "both", "https"))
    before = deepcopy(World(world.cluster).snapshot())
    facts, there, event_log = (
        gather(world.cluster, world.look),
        compiled(world.cluster, world),
        MemoryEventLog(),
    )
    run(there, LiveExecutor(world), event_log, context(world.cluster), until="staged")
    world.connections_last = False
    run(there, LiveExecutor(world), event_log, context(world.cluster))
    assert {"sealed"} == set(event_log.progress.states.values())
    run(
        compile_backward(world.cluster, facts, BRIDGE),
        LiveExecutor(world),
        event_log,
        context(world.cluster),
    )
    assert before == world.snapshot()
