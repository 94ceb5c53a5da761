"""What the proxies show after a rehearsal: for whom they are there, and whom they pass requests on to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.cluster.model import Cluster
from orchestrator.lab import network, settings
from orchestrator.lab.doors import Reception, knock
from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab
from orchestrator.lab.proof import starts

ASKED = "/v2/stats/self"  # a proxy passes it on, so an answer is a member's. Source: the guide


@dataclass(frozen=True, slots=True)
class ProxyProof:
    """What one proxy shows, by port: to its own host, and to others; and the peer URLs it works with."""

    name: str
    on_host: Mapping[int, Reception]
    from_outside: Mapping[int, Reception]
    peer_urls: tuple[str, ...]
    restarts: int


def collect(lab: Lab, starts_before: Mapping[str, int]) -> tuple[ProxyProof, ...]:
    """Look at every proxy, from the bastion and on its host. ``starts_before`` is what ``starts`` told."""
    ports = (lab.cluster.ports.client, lab.cluster.ports.local)
    proofs = []
    for host in lab.proxies:
        with lab.in_bastion():
            outside = {port: knock(host.entry.address, port, None, ASKED) for port in ports}
        with network.entered(host.namespace):
            inside = {port: knock("127.0.0.1", port, None, ASKED) for port in ports}
        restarts = starts(host) - starts_before[host.name]
        proofs.append(ProxyProof(host.name, inside, outside, peer_urls(host, lab.cluster), restarts))
    return tuple(proofs)


def peer_urls(host: Host, cluster: Cluster) -> tuple[str, ...]:
    """Return the members' peer URLs as the proxy last wrote them down, sorted; empty if it never did."""
    directory = settings.data_directory(cluster, host.entry).lstrip("/")
    try:
        written = json.loads((host.root / directory / "proxy/cluster").read_text())
    except FileNotFoundError:
        return ()
    return tuple(sorted(written["PeerURLs"]))
