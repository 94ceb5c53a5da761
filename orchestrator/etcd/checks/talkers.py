"""Which of those that talked to a member lose it when http is closed, and how they are named; pure."""

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

from orchestrator.etcd import local_port
from orchestrator.etcd.facts.connections import Connections
from orchestrator.etcd.facts.talkers import Talker
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Host
from orchestrator.text import bracketed

# Our own looks come through sshd, or from a script below it, or from a unit of ours; a person's shell is
# there too.
_SESSION = re.compile(
    r"session-[a-z0-9]+\.scope|sshd?(?:@.*)?\.service|init\.scope"
    r"|orchestrator-(?:watching|trial)\b.*|orchestrator-[A-Za-z0-9_.-]*[0-9a-f]{8}.*"
)


def loses(target: Target, talker: Talker) -> bool:
    """Whether a client of a member is cut off once the member has left http, or may be: nobody can tell."""
    return talker.scheme != "https" and is_client(target, talker)


def is_client(target: Target, talker: Talker) -> bool:
    """Whether it is a client that has to come to https: no look of ours, proxy, or client of the local port.

    A connection of the host itself that was too short to be attributed may be ours, and does not count; nor
    does a person's shell.
    """
    is_spared = talker.port == local_port.of(target) and ip_address(talker.address).is_loopback
    return is_foreign(target, talker) and not (talker.is_local and is_spared)


def is_foreign(target: Target, talker: Talker) -> bool:
    """Whether it is no look of ours, proxy of the plan, or person's shell, as far as is known."""
    if talker.is_local:
        return bool(talker.unit) and not _SESSION.fullmatch(talker.unit)
    if target.facts.api == "v2" and _is_any(talker, target.cluster.members):
        return False  # etcdctl's cluster-health, which is our own look, asks each member from every other one
    return not _is_any(talker, target.cluster.proxies)


def _is_any(talker: Talker, hosts: Iterable[Host]) -> bool:
    """Whether it is one of these hosts; one that the plan calls by a name is not recognised."""
    return ip_address(talker.address) in set(filter(None, (_address(host.address) for host in hosts)))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def who(target: Target, talker: Talker, seen: Mapping[str, Connections]) -> str:
    """Name a client: by its unit on the member's host, its process on another of the plan, or its address."""
    if talker.is_local:
        if not talker.unit:
            return f"{target.name} itself (too short to be attributed)"
        return f"{talker.process} ({talker.unit}) on {target.name}"
    processes = sorted(set(_processes(target, talker, seen)))
    host = next((one.name for one in target.cluster.hosts if _is_any(talker, (one,))), None)
    if processes:
        return f"{', '.join(processes)} ({talker.address})"
    return f"{host} ({talker.address})" if host else talker.address


def _processes(target: Target, talker: Talker, seen: Mapping[str, Connections]) -> Iterable[str]:
    """Name the processes on hosts of the plan that hold a connection from there to this member's port."""
    own = _address(target.host.address)
    for name, one in seen.items():
        for (here, there), process in one.went.items():
            address, port = there.split(" ")
            is_there = port == str(talker.port) and (own is None or ip_address(address) == own)
            if here.split(" ")[0] == talker.address and is_there:
                yield f"{process} on {name}"


def place(target: Target, talker: Talker) -> str:
    """Say to which member it talks, and to which port."""
    return f"{bracketed(target.name)}:{talker.port}"


def span(seconds: float) -> str:
    """Return a time as people say it: 12 s, 10 m, 3 h, 2 d."""
    for unit, length_s in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length_s or seconds == length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds:.0f} s"


def ago(talker: Talker) -> str:
    """Say when it was seen last."""
    return "connected now" if talker.open else f"{span(talker.last_s)} ago"
