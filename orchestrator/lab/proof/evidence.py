"""What the live cluster shows after a rehearsal: member by member, and proxy by proxy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.lab.hosts import journald
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine import network
from orchestrator.lab.proof.access import Reception, Visitor, request, visitors
from orchestrator.lab.provisioning import credentials, login
from orchestrator.plan import model
from orchestrator.plan.kinds import USUAL_LOCAL_PORT
from orchestrator.plan.model import Cluster
from orchestrator.probe import http_session, v3
from orchestrator.probe.http_session import Body, Endpoint, Session, UnansweredError

ASKED = "/v2/stats/self"  # a proxy passes it on, so an answer is a member's. Source: the guide


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


@dataclass(frozen=True, slots=True)
class ProxyProof:
    """What one proxy shows, by port: to its own host, and to others; and the peer URLs it works with."""

    name: str
    on_host: Mapping[int, Reception]
    from_outside: Mapping[int, Reception]
    peer_urls: tuple[str, ...]
    restarts: int


def of_members(lab: Lab, starts_before: Mapping[str, int]) -> tuple[MemberProof, ...]:
    """Look at every member, from the bastion and on its host. ``starts_before`` is what ``starts`` told."""
    contexts = visitors(lab.cluster)
    ports, local_port = lab.cluster.ports, lab.cluster.local_port or USUAL_LOCAL_PORT
    proofs = []
    for host in lab.members:
        member = host.entry
        with lab.in_bastion():
            entry = registered(lab.cluster, member)
            doors = {
                port: {visitor: request(host.address, port, context) for visitor, context in contexts.items()}
                for port in (ports.client, ports.peer)
            }
            outside = request(host.address, local_port, None)
        with network.entered(host.namespace):
            local = request("127.0.0.1", local_port, None)
        proofs.append(
            MemberProof(
                name=member.name,
                peer_urls=tuple(entry.get("peerURLs", ())),
                client_urls=tuple(entry.get("clientURLs", ())),
                client_port=doors[ports.client],
                peer_port=doors[ports.peer],
                local=local,
                local_from_outside=outside,
                restarts=journald.starts(host) - starts_before[member.name],
            )
        )
    return tuple(proofs)


def registered(cluster: Cluster, member: model.Host) -> Body:
    """Return the member's entry in the registry, as the member itself tells it; empty if it is silent."""
    files = credentials.of_gateway_client(cluster)
    trust = http_session.trusting(str(cluster.tls.ca), str(files.certificate), str(files.key))
    who = login.of(cluster)
    for scheme in ("https", "http"):
        session = Session(
            Endpoint(scheme, member.ssh.host, cluster.ports.client), trust, timeout_s=5.0, login=who
        )
        try:
            answer = session.ask(v3.MEMBERS)
        except UnansweredError:
            continue
        finally:
            session.close()
        return next((entry for entry in answer["members"] if entry.get("name") == member.name), {})
    return {}


def of_proxies(lab: Lab, starts_before: Mapping[str, int]) -> tuple[ProxyProof, ...]:
    """Look at every proxy, from the bastion and on its host. ``starts_before`` is what ``starts`` told."""
    local = lab.cluster.local_port
    ports = (lab.cluster.ports.client, *(() if local is None else (local,)))
    proofs = []
    for host in lab.proxies:
        with lab.in_bastion():
            outside = {port: request(host.address, port, None, ASKED) for port in ports}
        with network.entered(host.namespace):
            inside = {port: request("127.0.0.1", port, None, ASKED) for port in ports}
        restarts = journald.starts(host) - starts_before[host.name]
        proofs.append(
            ProxyProof(host.name, inside, outside, peer_urls(host, lab.data_directory(host)), restarts)
        )
    return tuple(proofs)


def peer_urls(host: Host, data_directory: str) -> tuple[str, ...]:
    """Return the members' peer URLs as the proxy last wrote them down, sorted; empty if it never did."""
    try:
        written = json.loads((host.root / data_directory.lstrip("/") / "proxy/cluster").read_text())
    except FileNotFoundError:
        return ()
    return tuple(sorted(written["PeerURLs"]))
