"""Where probers stand: one that uses every member, and one through each proxy and each local port."""

from dataclasses import dataclass
from typing import Literal

from orchestrator.lab.lab import Lab


@dataclass(frozen=True, slots=True)
class Post:
    """One prober's place, what it writes through (without URLs: every member), and how it does so."""

    name: str
    namespace: str
    api: Literal["v2", "v3"]
    urls: tuple[str, ...] = ()
    interval_ms: float = 10.0
    patience_s: float = 5.0
    lease_ttl_s: int = 5


def of_members(lab: Lab, *, leisure: float = 1.0) -> Post:
    """Return the main prober's post: on the bastion, with every member to choose from.

    ``leisure`` is how much longer than usual a client waits between two writes: that spares the machine where
    no stall has to be measured.
    """
    return Post("members", lab.bastion, _api(lab), interval_ms=10.0 * leisure)


def of_single_ways(lab: Lab, *, leisure: float = 1.0) -> tuple[Post, ...]:
    """Return the posts of those who have one way only, if the plan has proxies or watches local clients.

    They write less often, for there are many of them, and wait longer, for a restart is in their way.
    """
    cluster = lab.cluster
    if not (cluster.proxies or cluster.watch.units):
        return ()
    client, local = (f"http://127.0.0.1:{port}" for port in (cluster.ports.client, cluster.ports.local))
    interval_ms = 50.0 * leisure
    proxies = [Post(each.name, each.namespace, "v2", (client,), interval_ms, 10.0, 0) for each in lab.proxies]
    members = [
        Post(each.name, each.namespace, _api(lab), (local, client), interval_ms, 10.0, 0)
        for each in lab.members
    ]
    return (*proxies, *members)


def _api(lab: Lab) -> Literal["v2", "v3"]:
    return "v2" if lab.cluster.api == "v2" else "v3"
