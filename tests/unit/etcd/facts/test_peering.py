"""A member is registered with the scheme that it listens with, or the checks say how to register it."""

import shlex
from pathlib import Path

import pytest
from engine.world import World, make_cluster
from support.sites import make_site

from orchestrator.etcd.api.words import Registered
from orchestrator.etcd.checks import registered_with_http
from orchestrator.etcd.checks.registry import schemes
from orchestrator.etcd.facts import peering, process
from orchestrator.etcd.gather import gather
from orchestrator.plan.facts import Target

LISTEN = "ETCD_LISTEN_PEER_URLS"
HTTP, HTTPS = {LISTEN: "http://0.0.0.0:2380"}, {LISTEN: "https://0.0.0.0:2380"}
BOTH_PORTS = {LISTEN: "http://0.0.0.0:2380,https://0.0.0.0:7001"}


@pytest.mark.parametrize(
    ("registered", "environment", "spoken", "unspoken"),
    [
        (["http://a:2380"], HTTP, ["http://a:2380"], []),
        (["https://a:2380"], HTTP, ["http://a:2380"], ["https://a:2380"]),
        (["http://a:2380", "https://a:2380"], HTTP, ["http://a:2380"], ["https://a:2380"]),
        (["http://a:2380"], HTTPS, ["https://a:2380"], ["http://a:2380"]),
        (["https://a:2380"], {}, ["http://a:2380"], ["https://a:2380"]),  # etcd's own default is http
        (["https://a:9999"], HTTP, ["http://a:9999"], ["https://a:9999"]),  # a port that is mapped
        (["https://a:9999"], BOTH_PORTS, ["https://a:9999"], []),  # nobody can tell where it leads
        (["https://a:2380", "http://a:7001"], BOTH_PORTS, ["http://a:2380", "https://a:7001"], None),
        (["https://[fd00::1]:2380"], HTTP, ["http://[fd00::1]:2380"], ["https://[fd00::1]:2380"]),
    ],
)
def test_a_url_is_spoken_as_its_port_is_listened_on(
    registered: list[str], environment: dict[str, str], spoken: list[str], unspoken: list[str] | None
) -> None:
    assert tuple(spoken) == peering.spoken(registered, environment)
    assert tuple(registered if unspoken is None else unspoken) == peering.unspoken(registered, environment)


def gate_says(folder: Path, peers: list[str], listen: str) -> str | None:
    """What the gate of the first state says of server1, registered and listening like this before any run."""
    world = World(make_cluster(folder))
    world.registry[0xA1]["peers"] = peers
    world.hosts["server1"].environment[LISTEN] = listen
    facts = gather(world.cluster, world.look)
    gate = registered_with_http(Target(world.cluster, facts, world.cluster.members[0]))
    return gate.refusal(world.look(gate.questions))


def test_the_gate_compares_the_registry_with_the_listener_and_not_with_itself(tmp_path: Path) -> None:
    http, https = "http://198.18.0.101:2380", "https://198.18.0.101:2380"
    assert gate_says(tmp_path, [http], "http://0.0.0.0:2380") is None
    for peers, listen in (([https], "http"), ([http, https], "http"), ([http], "https")):
        reported = gate_says(tmp_path, peers, f"{listen}://0.0.0.0:2380")
        assert reported is not None
        assert f"server1 sees peer URLs {','.join(peers)}, not {listen}://198.18.0.101:2380" in reported


def running(folder: Path, environment: dict[str, str]) -> dict[str, process.Process]:
    world = World(make_cluster(folder))
    for host in world.hosts.values():
        host.environment |= environment
    targets = [Target(world.cluster, gather(world.cluster, world.look), one) for one in world.cluster.members]
    facts = {one.name: process.running(one) for one in targets}
    answers = world.look(fact.question for fact in facts.values())
    return {name: fact.read(answers) for name, fact in facts.items()}


def test_the_printed_command_registers_what_the_member_listens_with(tmp_path: Path) -> None:
    site = make_site(tmp_path, "server1", "server2", "server3")
    peers = {"a1": "https://198.18.0.101:2380", "a2": "http://198.18.0.102:2380"}
    view = {id_: Registered(id_, "x", (url,), ()) for id_, url in peers.items()}
    ids = {"server1": "a1", "server2": "a2"}
    (one,) = schemes(site, dict.fromkeys(ids, view), ids, running(tmp_path, {}), is_led=True)
    assert "warn" == one.verdict
    assert "--repair" in one.fix
    command = one.fix.partition("by hand, on server1: ")[2]
    assert [
        "ETCDCTL_API=3",
        "etcdctl",
        "--endpoints=http://127.0.0.1:2379",
        "--command-timeout=10s",
        *("member", "update", "a1", "--peer-urls=http://198.18.0.101:2380"),
    ] == shlex.split(command)


def test_a_listener_that_speaks_https_already_is_registered_so(tmp_path: Path) -> None:
    site = make_site(tmp_path, "server1", "server2", "server3")
    view = {"a1": Registered("a1", "x", ("http://198.18.0.101:2380",), ())}
    (one,) = schemes(site, {"server1": view}, {"server1": "a1"}, running(tmp_path, HTTPS), is_led=True)
    assert one.fix.endswith("member update a1 --peer-urls=https://198.18.0.101:2380")
