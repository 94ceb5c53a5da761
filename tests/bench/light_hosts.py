"""Light hosts of a lab: each is a real sshd in a network namespace of its own, and all share one system.

That system is a booted host of the lab, the carrier: its files, its systemd and its units are theirs too. So
whatever looks at a light host is answered by a real system, and nothing may be changed there: two light hosts
would change the same files. Their work is that of as many hosts, and is done by this one machine.
"""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine import network, processes
from orchestrator.lab.machine.programs import LabError, run

FIRST = IPv4Address("198.18.4.1")
CARRIER, NAME = "carrier", "light"
PORTS_FROM = 100  # the bridge's ports with lower numbers are those of the plan's own hosts
UNIT, FILE, NEW_CONTENT = "poller", "/etc/poller.env", "poller.env"
SERVICE = "[Service]\nExecStart=/bin/sleep infinity\n"
SSHD = (
    *("/usr/sbin/sshd", "-o", "UsePAM=no"),  # a session in the carrier's logind would be one of all hosts
    *("-o", "PidFile=none"),
)


@dataclass(frozen=True, slots=True)
class HostBeside:
    """A host beside those of the lab's plan, by its kind and number; ``first`` is the address of number 0."""

    prefix: str
    kind: str
    first: IPv4Address
    number: int

    @property
    def name(self) -> str:
        """Its name in the plan."""
        return f"{self.kind}{self.number}"

    @property
    def address(self) -> str:
        """The only address in its network namespace."""
        return str(self.first + self.number)

    @property
    def namespace(self) -> str:
        """Its network namespace."""
        return f"{self.prefix}-{self.name}"


@contextmanager
def started(lab: Lab, count: int) -> Iterator[tuple[HostBeside, ...]]:
    """Start that many beside the hosts of a lab, which has a carrier; they are gone afterwards."""
    hosts = tuple(HostBeside(lab.prefix, NAME, FIRST, number) for number in range(count))
    carrier = lab.host(CARRIER)
    for left in network.NAMED.glob(f"{lab.prefix}-{NAME}*"):  # by a measurement that was killed
        _remove(left.name)
    try:
        join(lab.bastion, hosts)
        _furnish(lab, carrier, hosts)
        for host in hosts:
            _start_sshd(carrier, host)
        yield hosts
    finally:
        for host in hosts:
            _remove(host.namespace)


def planned(text: str, hosts: Sequence[HostBeside]) -> str:
    """Return a plan of members and a carrier with these hosts in the place of the carrier.

    One unit's clients run on each of them, which the plan moves to https.
    """
    lines = [line for line in text.splitlines() if CARRIER not in line and line != "proxies:"]
    if not hosts:
        return "\n".join((*lines, ""))
    names = ", ".join(host.name for host in hosts)
    moved = (
        "  overlap: true",
        "  hosts:",
        *(f"    - {{name: {host.name}, address: {host.address}}}" for host in hosts),
        "  units:",
        f"    - unit: {UNIT}",
        f"      on: [{names}]",
        f"      files: [{{path: {FILE}, content: {NEW_CONTENT}}}]",
        "      healthy: test -s /etc/passwd",
    )
    where = lines.index("clients:") + 1
    return "\n".join((*lines[:where], *moved, *lines[where:], ""))


def _remove(namespace: str) -> None:
    processes.end(network.pids(namespace), grace_s=0)
    network.remove(namespace)


def join(bastion: str, hosts: Sequence[HostBeside]) -> None:
    """Make the namespaces, and join them to the bastion's bridge as those of the lab's hosts are."""
    for host in hosts:
        run(["ip", "netns", "add", host.namespace])
        port, inner = network.port_of(PORTS_FROM + host.number), network.PORT
        outside = (
            f"link add {port} type veth peer name {inner} netns {host.namespace}",
            f"link set {port} master {network.BRIDGE} up",
        )
        inside = (
            "link set lo up",
            f"link set {inner} up",
            f"address add {host.address}/32 dev {inner}",
            f"route add default dev {inner}",
        )
        for namespace, lines in ((bastion, outside), (host.namespace, inside)):
            run(["ip", "-n", namespace, "-batch", "-"], stdin="\n".join(lines) + "\n")


def _furnish(lab: Lab, carrier: Host, hosts: Sequence[HostBeside]) -> None:
    """Let the carrier be a host of clients alone, and make known what the plan of its light hosts names."""
    carrier.run(["systemctl", "disable", "--now", carrier.unit], check=False)
    write = 'printf %s "$2" > "$1"'
    for path, text in ((f"/etc/systemd/system/{UNIT}.service", SERVICE), (FILE, "ENDPOINTS=http\n")):
        carrier.run(["sh", "-ec", write, "sh", path, text])
    carrier.run(["systemctl", "start", f"{UNIT}.service"])
    (lab.directory / NEW_CONTENT).write_text("ENDPOINTS=https\n")
    make_known(carrier, hosts)


def make_known(like: Host, hosts: Sequence[HostBeside]) -> None:
    """Write into known_hosts that these have the key of a host of the lab."""
    known_hosts = like.entry.ssh.known_hosts
    key = next(line for line in known_hosts.read_text().splitlines() if line.startswith(like.address))
    with known_hosts.open("a") as file:
        file.writelines(f"{host.address}{key.removeprefix(like.address)}\n" for host in hosts)


def _start_sshd(carrier: Host, host: HostBeside) -> None:
    """Start its sshd: on the carrier, but for the network."""
    init = processes.init_of(carrier.namespace)
    if init is None:
        raise LabError(f"{carrier.name} is down")
    inside = [f"--{kind}" for kind in ("mount", "uts", "ipc", "pid")]
    net = f"--net={network.NAMED / host.namespace}"
    # it goes to the background by itself, and keeps what it has inherited open: so it gets nothing
    subprocess.run(
        ["nsenter", f"--target={init}", *inside, net, "--wd=/", "--", *SSHD],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=30,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
