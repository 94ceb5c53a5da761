"""Which of those that talked to a member lose it when http is closed, and how they are named; pure."""

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from orchestrator.etcd import local_port
from orchestrator.etcd.facts.connections import Connections
from orchestrator.etcd.facts.talkers import Talker
from orchestrator.plan.facts import Target
from orchestrator.text import bracketed

# Our own looks come through sshd, or from a script below it, or from a unit of ours; a person's shell is
# there too.
_SESSION = re.compile(r"session-[a-z0-9]+\.scope|sshd?(?:@.*)?\.service|orchestrator[-@:_.].*|init\.scope")


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
    return talker.address not in {proxy.address for proxy in target.cluster.proxies}


def who(target: Target, talker: Talker, seen: Mapping[str, Connections]) -> str:
    """Name a client: by its unit on the member's host, its process on another of the plan, or its address."""
    if talker.is_local:
        if not talker.unit:
            return f"{target.name} itself (too short to be attributed)"
        return f"{talker.process} ({talker.unit}) on {target.name}"
    processes = sorted(set(_processes(talker, seen)))
    host = next((one.name for one in target.cluster.hosts if one.address == talker.address), None)
    if processes:
        return f"{', '.join(processes)} ({talker.address})"
    return f"{host} ({talker.address})" if host else talker.address


def _processes(talker: Talker, seen: Mapping[str, Connections]) -> Iterable[str]:
    """Name the processes on hosts of the plan that hold a connection from this address to this port."""
    for name, one in seen.items():
        for (here, there), process in one.went.items():
            if here.split(" ")[0] == talker.address and there.split(" ")[1] == str(talker.port):
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
