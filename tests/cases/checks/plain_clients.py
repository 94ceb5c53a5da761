"""Who still talks plain http before it is closed: orchestrator/etcd/checks/plain_clients.py."""

from dataclasses import replace

from support.judging import Case, Change, Scene, fails, plan, prints

from orchestrator.etcd import stages
from orchestrator.plan.sections import Clients, Ports

GATE = "free_of_plain_clients"
SHORT = "not_spoken_to_in_http"
UNUSED, UNUSED_NOW = "closed_ports_unused", "closed_ports_not_used_now"


def overlapping(scene: Scene) -> None:
    """Have clients served over https beside http, and watched for ten minutes before that is closed."""
    facts = scene.target.facts.model_copy(update={"overlaps": True})
    cluster = scene.target.cluster.model_copy(update={"clients": Clients(quiet_s="10m")})  # type: ignore[arg-type] # as a plan has it
    scene.target = replace(scene.target, cluster=cluster, facts=facts)


def record(
    *rows: str, host: str = "server1", since: int = 0, means: str = "perl", state: str = "active"
) -> Change:
    """Have a host's watcher have written this, at the uptime of 10000 s."""
    lines = (
        f"state {state}",
        f"since {since}",
        "ticked 9999",
        f"means {means}",
        "ports 2379=http,https 4001=http",
    )
    return prints(host, "talkers.LOOK", "\n".join((*lines, *(f"row {row}" for row in rows), "now 10000", "")))


def all_but(*rows: str, since: int = 0, means: str = "perl") -> tuple[Change, ...]:
    """Have all members be watched, and the first one's watcher have seen this."""
    others = (record(host=name) for name in ("server2", "server3"))
    return (overlapping, *others, record(*rows, since=since, means=means))


def closed(scene: Scene) -> None:
    """Have the first member run as it does once http is closed."""
    scene.world.place("server1").environment |= stages.tls_listeners(scene.target)


PLAIN = "203.0.113.7 2379 http 9000 9997 3 1000 0 - -"
FROM_TWO = "198.18.0.102 2379 http 9000 9999 1 1000 1 - -"
DIALLED = "urls http://0.0.0.0:2379\nout 198.18.0.102:5000 198.18.0.101:2379 7 confd.service confd\n"
OTHER_PORT = DIALLED.replace("101:2379", "101:2380")
ELEVEN = tuple(PLAIN.replace("113.7", f"113.{number}") for number in range(11))

FLEET = "127.0.0.1 4001 http 9000 9997 3 1000 0 fleet.service fleetd"


def closing(*rows: str) -> tuple[Change, ...]:
    """Have the plan close the local port, all members be watched, and the first one's watcher have seen this."""
    others = (record(host=name) for name in ("server2", "server3"))
    return (plan(clients=Clients(close=("local",))), *others, record(*rows))


# fmt: off
CASES = (
    Case(GATE, "bridged", (record(PLAIN),)),  # clients are not served in both schemes
    Case(GATE, "bridged", all_but()),
    Case(GATE, "bridged", all_but(PLAIN.replace("http", "https"))),
    Case(GATE, "bridged", all_but(PLAIN.replace("9997", "9399"))),  # 601 s ago
    Case(GATE, "bridged", all_but(PLAIN), "203.0.113.7 to server1:2379 talks plain http (3 s ago)"),
    Case(GATE, "bridged", all_but(PLAIN), "203.0.113.7 to server1:2379 talks plain http (3 s ago)", "server3"),
    Case(GATE, "bridged", all_but(PLAIN.replace("9997", "9401")), "talks plain http (10 m ago)"),
    Case(GATE, "bridged", all_but(*ELEVEN), "server1: 1 more"),
    Case(GATE, "bridged", all_but(PLAIN.replace("http", "unknown")), "203.0.113.7 to server1:2379: plain http or TLS? it has said nothing since it is watched (3 s ago)"),
    Case(GATE, "bridged", all_but(PLAIN.replace("http", "unknown"), means="ports"),
         "plain http or TLS? one port has both, and server1 has neither perl nor python3 (3 s ago)"),
    Case(GATE, "bridged", all_but(FROM_TWO), "server2 (198.18.0.102) to server1:2379 talks plain http (connected now)"),
    Case(GATE, "bridged", (*all_but(FROM_TWO), prints("server2", "connections.SCRIPT", DIALLED)),
         "confd (pid 7, confd.service) on server2 (198.18.0.102) to server1:2379 talks plain http (connected now)"),
    Case(GATE, "bridged", (*all_but(FROM_TWO), prints("server2", "connections.SCRIPT", OTHER_PORT)), "server2 (198.18.0.102) to server1:2379"),
    Case(GATE, "bridged", (*all_but(FROM_TWO), fails("server2", "connections.SCRIPT")), "server2 (198.18.0.102) to server1:2379"),
    Case(GATE, "bridged", all_but("198.18.0.104 2379 http 9000 9999 1 1000 1 - -")),  # the plan's proxy
    Case(GATE, "bridged", all_but("127.0.0.1 2379 http 9000 9999 1 1000 1 patroni.service python3"),
         "python3 (patroni.service) on server1 to server1:2379 talks plain http (connected now)"),
    Case(GATE, "bridged", all_but("127.0.0.1 4001 http 9000 9999 1 1000 1 patroni.service python3")),  # the local port
    Case(GATE, "bridged", all_but("198.18.0.101 4001 http 9000 9999 1 1000 1 patroni.service python3"), "patroni.service"),
    Case(GATE, "bridged", all_but("127.0.0.1 2379 http 9000 9999 1 1000 1 session-4.scope etcdctl")),
    Case(GATE, "bridged", all_but("127.0.0.1 2379 http 9000 9999 1 1000 1 ssh.service sshd")),
    Case(GATE, "bridged", all_but("127.0.0.1 2379 http 9000 9999 1 1000 1 orchestrator-watching-etcd2.service ss")),
    Case(GATE, "bridged", all_but("127.0.0.1 2379 http 9000 9999 1 1000 1 ? ?")),  # it may have been a look of ours
    Case(GATE, "bridged", all_but(since=9988), "server1: watched for 12 s of 10 m, nobody came"),
    Case(GATE, "bridged", all_but(since=9400)),
    Case(GATE, "bridged", all_but(PLAIN, since=9988), "203.0.113.7 to server1:2379 talks plain http"),
    Case(GATE, "bridged", (*all_but(), record(host="server3", state="inactive")),
         "orchestrator-watching-etcd2.service is inactive (there, as root: systemctl start orchestrator-watching-etcd2.service"),
    Case(GATE, "bridged", (*all_but(), record(PLAIN, host="server3", state="inactive")), "service is inactive"),
    Case(GATE, "switched", (*all_but(PLAIN), closed)),  # it has left http already
    Case(SHORT, "bridged", (record(PLAIN),)),
    Case(SHORT, "bridged", all_but(PLAIN.replace("9997", "9989"), since=9989)),  # 11 s ago
    Case(SHORT, "bridged", all_but(PLAIN.replace("9997", "9991")), "203.0.113.7 to server1:2379 talks plain http (9 s ago)"),
    Case(SHORT, "bridged", all_but(since=9992), "server1: watched for 8 s of 10 s, nobody came"),
    Case(GATE, "bridged", (*all_but(), fails("server3", "talkers.LOOK")), "cannot tell: timed out"),

    Case(UNUSED, "sealed", (record(FLEET),)),  # nothing is closed
    Case(UNUSED, "sealed", closing(FLEET), "fleetd (fleet.service) on server1 to server1:4001 uses that port (3 s ago)"),
    Case(UNUSED, "sealed", closing(FLEET), "fleetd (fleet.service) on server1", "server2"),
    Case(UNUSED, "sealed", closing(FLEET.replace("9997", "9399"))),
    Case(UNUSED, "sealed", closing(FLEET.replace("4001", "2379"))),
    Case(UNUSED, "sealed", closing(FLEET.replace("fleet.service fleetd", "ssh.service etcdctl"))),
    Case(UNUSED, "sealed", (*closing(), record(host="server2", state="inactive")), "server2: nobody watches who talks to it"),
    Case(UNUSED, "closed", (record(host="server2", state="inactive"),)),  # all have closed it
    Case(UNUSED, "sealed", (*closing(), plan(ports=Ports(local="auto")), record(host="server2", state="inactive"))),
    Case(UNUSED_NOW, "sealed", (record(FLEET),)),
    Case(UNUSED_NOW, "sealed", closing(FLEET), "uses that port (3 s ago)"),
    Case(UNUSED_NOW, "sealed", closing(FLEET.replace("9997", "9989"))),  # 11 s ago
)
# fmt: on
