"""What the checks are made for: the plan, the facts as far as they are known, and who could be reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.etcd import settings
from orchestrator.plan.facts import Facts, HostFacts, MemberFacts, Target
from orchestrator.plan.model import Cluster, Host
from orchestrator.text import bracketed

Moments = tuple[datetime, datetime]
CLUSTER, BASTION = "cluster", "bastion"  # where a check looks that is about no single host


@dataclass(frozen=True, slots=True)
class Site:
    """The plan's hosts as they are seen now.

    ``facts`` were gathered, or else are what the plan makes one expect. ``reached`` holds, by host, the
    moments on the bastion between which that host's clock was read; a host that is missing was not reached.
    ``now`` is the bastion's time, in UTC.
    """

    cluster: Cluster
    facts: Facts
    reached: Mapping[str, Moments]
    now: datetime

    @property
    def hosts(self) -> tuple[Target, ...]:
        """Hosts that were reached, whatever their role."""
        return tuple(self.target(host) for host in self.cluster.hosts if host.name in self.reached)

    @property
    def etcd_hosts(self) -> tuple[Target, ...]:
        """Hosts that were reached and run etcd, members and proxies."""
        return tuple(target for target in self.hosts if target.runs_etcd)

    @property
    def clients(self) -> tuple[Target, ...]:
        """Hosts that were reached and run clients alone."""
        return tuple(target for target in self.hosts if not target.runs_etcd)

    @property
    def members(self) -> tuple[Target, ...]:
        """Members that were reached."""
        return tuple(self.target(member) for member in self.cluster.members if member.name in self.reached)

    @property
    def missed(self) -> tuple[str, ...]:
        """Members that were not reached."""
        return tuple(member.name for member in self.cluster.members if member.name not in self.reached)

    @property
    def everyone(self) -> tuple[Target, ...]:
        """Every member of the plan, reached or not."""
        return tuple(map(self.target, self.cluster.members))

    def target(self, host: Host) -> Target:
        """Return a host in the light of the facts."""
        return Target(self.cluster, self.facts, host)


def assumed(cluster: Cluster, interface: Literal["v2", "v3"]) -> Facts:
    """Facts as the plan makes one expect them, for when they could not be gathered: pure."""

    def url(entry: Host, port: int) -> str:
        return f"http://{bracketed(entry.address)}:{port}"

    def host(entry: Host) -> HostFacts:
        advertised = {settings.ADVERTISE_CLIENT: url(entry, cluster.ports.client)}
        return HostFacts(version="", environment=advertised, user="root", group="root")

    def member(entry: Host) -> MemberFacts:
        peers = (url(entry, cluster.ports.peer),)
        return MemberFacts(**host(entry).model_dump(), id="", name="", peer_urls=peers)

    return Facts(
        cluster_id="",
        api=interface,
        members={entry.name: member(entry) for entry in cluster.members},
        proxies={entry.name: host(entry) for entry in cluster.proxies},
        clients={entry.name: () for entry in cluster.clients.hosts},
    )
