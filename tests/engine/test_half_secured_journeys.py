"""Clusters that speak https in part already: that part is kept, and the way back ends just there."""

from copy import deepcopy
from itertools import product
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import FakeHost, World, make_cluster

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.checks import running_with_http
from orchestrator.etcd.gather import gather, targets_of
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward

OWN = {name: f"/etc/own/{name}.pem" for name in ("ca", "cert", "key")}
CLIENTS = {
    "ETCD_LISTEN_CLIENT_URLS": "https://0.0.0.0:2379,http://127.0.0.1:4001",
    "ETCD_CERT_FILE": OWN["cert"],
    "ETCD_KEY_FILE": OWN["key"],
}
PEERS = {
    "ETCD_LISTEN_PEER_URLS": "https://0.0.0.0:2380",
    "ETCD_PEER_CERT_FILE": OWN["cert"],
    "ETCD_PEER_KEY_FILE": OWN["key"],
    "ETCD_PEER_TRUSTED_CA_FILE": OWN["ca"],
    "ETCD_PEER_CLIENT_CERT_AUTH": "true",
}


def secure(world: World, host: FakeHost, *, clients: bool, peers: bool) -> None:
    host.files |= dict.fromkeys(OWN.values(), ("theirs", 420, "root", "root"))
    host.base |= (CLIENTS if clients else {}) | (PEERS if peers else {})
    registered = world.registry[host.id]
    if clients:
        registered["clients"] = [f"https://{host.address}:2379"]
        host.base["ETCD_ADVERTISE_CLIENT_URLS"] = registered["clients"][0]
    if peers:
        registered["peers"] = [f"https://{host.address}:2380"]
    host.reload()
    host.environment = dict(host.loaded)


def there_and_back(world: World) -> MemoryEventLog:
    before, facts, event_log = deepcopy(world.snapshot()), gather(world.cluster, world.look), MemoryEventLog()
    run(compiled(world.cluster, world), LiveExecutor(world), event_log, context(world.cluster))
    assert {"sealed"} == set(event_log.progress.states.values())
    for host in world.hosts.values():
        assert [f"https://{host.address}:2380"] == world.registry[host.id]["peers"]
        assert [f"https://{host.address}:2379"] == world.registry[host.id]["clients"]
    again = compiled(world.cluster, world)  # as whoever has lost the state file sees it
    gates = [gate for place in again.finals.items() for gate in again.gates[place]]
    assert not LiveExecutor(world).refusals(gates)
    sealed = {name: dict(host.environment) for name, host in world.hosts.items()}
    back = compile_backward(world.cluster, facts, BRIDGE)
    run(back, LiveExecutor(world), event_log, context(world.cluster))
    assert before == world.snapshot()
    for host in world.hosts.values():
        kept = {name: value for name, value in host.base.items() if name.endswith("_FILE")}
        assert kept.items() <= sealed[host.name].items()
    return event_log


@pytest.mark.parametrize("what", ["clients", "peers"])
def test_only_what_is_missing_is_done(tmp_path: Path, what: str) -> None:
    world = World(make_cluster(tmp_path))
    for host in world.hosts.values():
        secure(world, host, clients=what == "clients", peers=what == "peers")
    there_and_back(world)
    updates = [job for job in world.performed if "'update'" in str(job.operations)]
    assert bool(updates) == (what == "clients")


@pytest.mark.parametrize("secured", [each for each in product([True, False], repeat=3) if len(set(each)) > 1])
def test_members_whose_peers_speak_https_and_others_are_moved_together(
    tmp_path: Path, secured: tuple[bool, ...]
) -> None:
    world = World(make_cluster(tmp_path))
    for host, is_secured in zip(world.hosts.values(), secured, strict=True):
        secure(world, host, clients=False, peers=is_secured)
    there_and_back(world)


def test_a_member_that_was_restarted_with_https_and_never_registered_so_is_put_right_first(
    tmp_path: Path,
) -> None:
    world = World(make_cluster(tmp_path))
    right = deepcopy(world.registry)
    two = world.hosts["server2"]
    secure(world, two, clients=False, peers=True)
    world.registry[two.id]["peers"] = right[two.id]["peers"]
    facts, event_log = gather(world.cluster, world.look), MemoryEventLog()
    run(compiled(world.cluster, world), LiveExecutor(world), event_log, context(world.cluster))
    back = compile_backward(world.cluster, facts, BRIDGE)
    run(back, LiveExecutor(world), event_log, context(world.cluster))
    assert right | {two.id: {**right[two.id], "peers": [f"https://{two.address}:2380"]}} == world.registry


AUTO = {"ETCD_PEER_AUTO_TLS": "true", "ETCD_LISTEN_PEER_URLS": "https://0.0.0.0:2380"}
UNNAMED = {"ETCD_LISTEN_CLIENT_URLS": CLIENTS["ETCD_LISTEN_CLIENT_URLS"]}
BOTH = {**PEERS, "ETCD_LISTEN_PEER_URLS": "https://0.0.0.0:2380,http://0.0.0.0:7001"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (AUTO, "without ETCD_PEER_CERT_FILE, ETCD_PEER_KEY_FILE, ETCD_PEER_TRUSTED_CA_FILE"),
        (UNNAMED, "without ETCD_CERT_FILE, ETCD_KEY_FILE"),
        (BOTH, "and http beside it"),
        ({**PEERS, **CLIENTS}, None),
    ],
)
def test_what_cannot_be_kept_is_named(tmp_path: Path, changes: dict[str, str], reason: str | None) -> None:
    world = World(make_cluster(tmp_path))
    world.hosts["server1"].environment |= changes
    target = targets_of(world.cluster, gather(world.cluster, world.look))[0]
    gate = running_with_http(target)
    found = gate.refusal(world.look(gate.questions))
    assert (reason is None) == (found is None)
    assert reason is None or reason in str(found)
