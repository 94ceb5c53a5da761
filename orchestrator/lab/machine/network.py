"""The lab's network: a namespace for each host and for the bastion, joined by a bridge, without a way out."""

import ctypes
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from orchestrator.lab.machine.programs import LabError, run

NAMED = Path("/run/netns")
BRIDGE = "br0"  # in the bastion's namespace
PORT = "eth0"  # in each host's namespace
BASTION = "bastion"
BASTION_IPV4 = IPv4Address("198.19.255.254")  # the end of RFC 2544's test range
BASTION_IPV6 = IPv6Address("2001:db8:ffff:ffff::fffe")  # RFC 3849's documentation range
DEPRECATED = {4: (), 6: ("nodad", "preferred_lft", "0")}  # the first IPv4 address is taken anyhow
CLONE_NEWNET = 0x40000000

Address = IPv4Address | IPv6Address


def bastion_addresses(taken: frozenset[Address]) -> tuple[Address, Address]:
    """Choose the bastion's addresses, IPv4 and IPv6: the first from the end that no host has."""
    ipv4, ipv6 = BASTION_IPV4, BASTION_IPV6
    while ipv4 in taken:
        ipv4 -= 1
    while ipv6 in taken:
        ipv6 -= 1
    return ipv4, ipv6


def more_addresses(taken: frozenset[Address], count: int) -> tuple[Address, ...]:
    """Choose further addresses for clients on the bastion, of the family that every host has."""
    first, second = bastion_addresses(taken)
    own: Address = first if any(address.version == 4 for address in taken) else second
    found: list[Address] = []
    while len(found) < count:
        own -= 1
        if own not in taken:
            found.append(own)
    return tuple(found)


def add_addresses(bastion: str, addresses: Iterable[Address]) -> None:
    """Give the bastion further addresses, which nobody gets who does not ask for them; safe to do twice."""
    for address in addresses:
        words = ["address", "replace", f"{address}/{address.max_prefixlen}", "dev", BRIDGE]
        run(["ip", "-n", bastion, f"-{address.version}", *words, *DEPRECATED[address.version]])


def make(bastion: str, hosts: Mapping[str, tuple[Address, ...]]) -> None:
    """Make every namespace and join the hosts' to the bastion's. ``hosts`` maps namespaces to addresses.

    Each end knows its own address alone and takes everything else to be on the link, so a plan's addresses
    work whatever networks they are from. Nothing joins these namespaces to the machine's own.
    """
    for namespace in (bastion, *hosts):
        run(["ip", "netns", "add", namespace])
        run(["ip", "-n", namespace, "link", "set", "lo", "up"])
    run(
        ["ip", "-n", bastion, "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0", "stp_state", "0"]
    )
    taken = frozenset(address for addresses in hosts.values() for address in addresses)
    _bring_up(bastion, BRIDGE, bastion_addresses(taken))
    for index, (namespace, addresses) in enumerate(hosts.items()):
        port = port_of(index)
        run(
            [
                "ip",
                "-n",
                bastion,
                "link",
                "add",
                port,
                "type",
                "veth",
                "peer",
                "name",
                PORT,
                "netns",
                namespace,
            ]
        )
        run(["ip", "-n", bastion, "link", "set", port, "master", BRIDGE, "up"])
        _bring_up(namespace, PORT, addresses)


def _bring_up(namespace: str, interface: str, addresses: tuple[Address, ...]) -> None:
    run(["ip", "-n", namespace, "link", "set", interface, "up"])
    for address in addresses:
        family = f"-{address.version}"
        whole = f"{address}/{address.max_prefixlen}"
        # No duplicate address detection: an IPv6 address would not be usable for its first second.
        nodad = ["nodad"] if address.version == 6 else []
        run(["ip", "-n", namespace, family, "address", "add", whole, "dev", interface, *nodad])
    for version in sorted({address.version for address in addresses}):
        run(["ip", "-n", namespace, f"-{version}", "route", "add", "default", "dev", interface])


def port_of(index: int) -> str:
    """Name the bridge's port for the plan's n-th host; an interface's name has at most 15 characters."""
    return f"host{index}"


def exists(namespace: str) -> bool:
    """Tell whether there is a network namespace of that name."""
    return (NAMED / namespace).exists()


def pids(namespace: str) -> list[int]:
    """Return the processes that live in a namespace, this one never among them."""
    if not exists(namespace):
        return []
    listed = run(["ip", "netns", "pids", namespace]).stdout.split()
    return [int(pid) for pid in listed if int(pid) != os.getpid()]


def remove(namespace: str) -> None:
    """Remove a namespace and its interfaces; no process may live there any more."""
    if not exists(namespace):
        return
    for interface in _removable(namespace):
        run(["ip", "-n", namespace, "link", "delete", interface], check=False)
    run(["ip", "netns", "delete", namespace])
    if exists(namespace):
        raise LabError(f"network namespace {namespace} is still there after its removal")


def _removable(namespace: str) -> list[str]:
    shown = run(["ip", "-n", namespace, "-brief", "link", "show"], check=False).stdout
    names = re.findall(r"^([^\s@]+)", shown, flags=re.MULTILINE)
    return [name for name in names if name == BRIDGE or re.fullmatch(r"eth0|host\d+", name)]


@contextmanager
def entered(namespace: str) -> Iterator[None]:
    """Move the calling thread into a network namespace, and back afterwards.

    Other threads stay where they are; a thread or process started meanwhile is born there, and stays.
    """
    if not exists(namespace):
        raise LabError(f"there is no network namespace {namespace}: is the lab up?")
    mine = Path(f"/proc/self/task/{threading.get_native_id()}/ns/net")
    with mine.open("rb") as home, (NAMED / namespace).open("rb") as away:
        _move_to(away.fileno())
        try:
            yield
        finally:
            _move_to(home.fileno())


def _move_to(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)  # os.setns came with Python 3.12
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise LabError(f"cannot enter the network namespace: {os.strerror(code)}")
