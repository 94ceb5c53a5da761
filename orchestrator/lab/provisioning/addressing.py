"""Which IP addresses each host has in the lab: the plan's, those it was found with, or one of the lab's."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, ip_address

from orchestrator.lab.machine.network import Address
from orchestrator.lab.machine.programs import LabError
from orchestrator.plan.model import Cluster

FIRST = IPv4Address("198.19.254.1")  # near the end of RFC 2544's test range

Addresses = Mapping[str, tuple[Address, ...]]
NONE_FOUND: Mapping[str, Sequence[str]] = {}


def of(cluster: Cluster, found: Mapping[str, Sequence[str]] = NONE_FOUND) -> Addresses:
    """Return the addresses of every host, by its name; the first is where it is reached.

    A host whose ``address`` in the plan is a DNS name is given one, unless it was ``found`` with some.
    """
    chosen = {host.name: _given(host.address, found.get(host.name, ())) for host in cluster.etcd_hosts}
    taken = {address for addresses in chosen.values() for address in addresses}
    following = FIRST
    for name, addresses in chosen.items():
        if addresses:
            continue
        while following in taken:
            following += 1
        chosen[name] = (following,)
        taken.add(following)
    _refuse_shared(chosen)
    return chosen


def _given(planned: str, found: Sequence[str]) -> tuple[Address, ...]:
    """Return the plan's own address, if it is one, and then those that were found."""
    try:
        own: tuple[Address, ...] = (ip_address(planned),)
    except ValueError:
        own = ()
    return tuple(dict.fromkeys((*own, *map(ip_address, found))))


def _refuse_shared(chosen: Addresses) -> None:
    owners: dict[Address, str] = {}
    for name, addresses in chosen.items():
        for address in addresses:
            if address in owners:
                raise LabError(
                    f"{name} and {owners[address]} both have the address {address}, and in the lab each host "
                    "has its own"
                )
            owners[address] = name
