"""What the live cluster shows after a rehearsal, member by member."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.cluster import model
from orchestrator.cluster.model import Cluster
from orchestrator.lab import gateway, journal, network, v3
from orchestrator.lab.command import LabError
from orchestrator.lab.doors import Reception, Visitor, knock, visitors
from orchestrator.lab.gateway import Body, Endpoint, Session, UnansweredError
from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab


@dataclass(frozen=True, slots=True)
class MemberProof:
    """What one member shows: where it is registered, whom it lets in, how often it was started anew.

    ``local`` is its port for unencrypted clients seen from the host itself, ``local_from_outside`` the same
    port seen from the bastion.
    """

    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    client_port: Mapping[Visitor, Reception]
    peer_port: Mapping[Visitor, Reception]
    local: Reception
    local_from_outside: Reception
    restarts: int


def collect(lab: Lab, starts_before: Mapping[str, int]) -> tuple[MemberProof, ...]:
    """Look at every member, from the bastion and on its host. ``starts_before`` is what ``starts`` told."""
    contexts = visitors(lab.cluster)
    ports = lab.cluster.ports
    proofs = []
    for host in lab.members:
        member = host.entry
        with lab.in_bastion():
            entry = registered(lab.cluster, member)
            doors = {
                port: {visitor: knock(member.address, port, context) for visitor, context in contexts.items()}
                for port in (ports.client, ports.peer)
            }
            outside = knock(member.address, ports.local, None)
        with network.entered(host.namespace):
            local = knock("127.0.0.1", ports.local, None)
        proofs.append(
            MemberProof(
                name=member.name,
                peer_urls=tuple(entry.get("peerURLs", ())),
                client_urls=tuple(entry.get("clientURLs", ())),
                client_port=doors[ports.client],
                peer_port=doors[ports.peer],
                local=local,
                local_from_outside=outside,
                restarts=starts(host) - starts_before[member.name],
            )
        )
    return tuple(proofs)


def registered(cluster: Cluster, member: model.Host) -> Body:
    """Return the member's entry in the registry, as the member itself tells it; empty if it is silent."""
    tls = cluster.tls
    trust = gateway.trusting(str(tls.ca), str(tls.client_certificate), str(tls.client_key))
    for scheme in ("https", "http"):
        session = Session(Endpoint(scheme, member.address, cluster.ports.client), trust, timeout_s=5.0)
        try:
            answer = session.ask(v3.MEMBERS)
        except UnansweredError:
            continue
        finally:
            session.close()
        return next((entry for entry in answer["members"] if entry.get("name") == member.name), {})
    return {}


def starts(host: Host) -> int:
    """Count how often systemd has begun to start the host's etcd, from its journal."""
    count = len(journal.starting(host))
    if count == 0:
        raise LabError(f"{host.name}: the journal tells of no start of {host.unit}")
    return count
