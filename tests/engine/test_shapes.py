"""Clusters of other shapes: names, IPv6, several URLs, a unit and ports of each member alone."""

from copy import deepcopy
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.gather import gather
from orchestrator.etcd.settings import to_https
from orchestrator.host.operations import Write
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.plan.model import Cluster, Ports
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward, compile_forward

Urls = dict[str, str]  # of one member: {n} is its number


def shaped(folder: Path, addresses: str, urls: Urls, services: tuple[str, ...] = ()) -> World:
    """A world whose members have these addresses and URLs, and units of their own if there are any."""
    cluster = make_cluster(folder)
    members = tuple(
        one.model_copy(
            update={"address": addresses.format(n=n), "service": services[n - 1] if services else one.service}
        )
        for n, one in enumerate(cluster.members, start=1)
    )
    world = World(cluster.model_copy(update={"members": members}))
    for n, host in enumerate(world.hosts.values(), start=1):
        own = {name: value.format(n=n) for name, value in urls.items()}
        host.base |= {f"ETCD_{name}": value for name, value in own.items()}
        host.reload()
        host.environment = dict(host.loaded)
        peers = own["INITIAL_ADVERTISE_PEER_URLS"].split(",")
        world.registry[host.id] = {"peers": peers, "clients": own["ADVERTISE_CLIENT_URLS"].split(",")}
    return world


NAMES = {
    "INITIAL_ADVERTISE_PEER_URLS": "http://etcd{n}.corp.example:2380",
    "ADVERTISE_CLIENT_URLS": "http://etcd{n}.corp.example:2379",
}
IPV6 = {
    "LISTEN_CLIENT_URLS": "http://[::]:2379",
    "LISTEN_PEER_URLS": "http://[2001:db8::{n}]:2380",
    "INITIAL_ADVERTISE_PEER_URLS": "http://[2001:db8::{n}]:2380",
    "ADVERTISE_CLIENT_URLS": "http://[2001:db8::{n}]:2379",
}
SEVERAL = {
    "LISTEN_CLIENT_URLS": "http://10.0.0.{n}:2379,http://10.1.0.{n}:2378,http://127.0.0.1:2377",
    "LISTEN_PEER_URLS": "http://10.0.0.{n}:2380,http://10.1.0.{n}:7001",
    "INITIAL_ADVERTISE_PEER_URLS": "http://10.0.0.{n}:2380,http://10.1.0.{n}:7001",
    "ADVERTISE_CLIENT_URLS": "http://10.0.0.{n}:2379,http://10.1.0.{n}:2378",
}
PORTS = {
    "LISTEN_CLIENT_URLS": "http://0.0.0.0:1{n}379",
    "LISTEN_PEER_URLS": "http://0.0.0.0:1{n}380",
    "INITIAL_ADVERTISE_PEER_URLS": "http://10.0.0.{n}:1{n}380",
    "ADVERTISE_CLIENT_URLS": "http://10.0.0.{n}:1{n}379",
}
LOCALHOST = {
    "LISTEN_CLIENT_URLS": "http://127.0.0.1:2379",
    "INITIAL_ADVERTISE_PEER_URLS": "http://10.0.0.{n}:2380",
    "ADVERTISE_CLIENT_URLS": "http://127.0.0.1:2379",
}
SHAPES = {
    "names": ("etcd{n}.corp.example", NAMES, ()),
    "ipv6": ("2001:db8::{n}", IPV6, ()),
    "several urls": ("10.0.0.{n}", SEVERAL, ()),
    "ports and units": ("10.0.0.{n}", PORTS, ("etcd-a", "etcd-b", "etcd@c")),
    "clients on localhost": ("10.0.0.{n}", LOCALHOST, ()),
}


def there_and_back(cluster: Cluster, world: World) -> None:
    before, facts, event_log = deepcopy(world.snapshot()), gather(cluster, world.look), MemoryEventLog()
    registered = deepcopy(world.registry)
    run(compiled(cluster, world), LiveExecutor(world), event_log, context(cluster))
    assert {"sealed"} == set(event_log.progress.states.values())
    assert {
        id_: {what: [to_https(url) for url in urls] for what, urls in one.items()}
        for id_, one in registered.items()
    } == world.registry
    run(compile_backward(cluster, facts, BRIDGE), LiveExecutor(world), event_log, context(cluster))
    assert before == world.snapshot()


@pytest.mark.parametrize(("addresses", "urls", "services"), SHAPES.values(), ids=SHAPES)
def test_a_cluster_of_another_shape_gets_there_and_back(
    tmp_path: Path, addresses: str, urls: Urls, services: tuple[str, ...]
) -> None:
    world = shaped(tmp_path, addresses, urls, services)
    there_and_back(world.cluster, world)


def test_two_clusters_on_the_same_hosts_put_no_file_where_the_other_has_one(tmp_path: Path) -> None:
    paths = []
    for name, local in (("first", 4001), ("second", 4002)):
        folder = tmp_path / name
        folder.mkdir()
        world = shaped(folder, "10.0.0.{n}", PORTS, (name,) * 3)
        cluster = world.cluster.model_copy(
            update={
                "name": name,
                "tls": world.cluster.tls.model_copy(update={"directory": f"/etc/{name}"}),
                "ports": Ports(local=local),
            }
        )
        there = compile_forward(cluster, gather(cluster, world.look), BRIDGE)
        paths.append(
            {
                operation.path
                for step in there.steps.values()
                for operation in step.operations
                if isinstance(operation, Write) and not operation.path.startswith("/run/")  # of one at a time
            }
        )
    first, second = paths
    assert first
    assert not first & second
