"""A member as the facts show it, for tests that ask about one."""

from pathlib import Path

from engine.world import make_cluster

from orchestrator.plan.facts import Facts, MemberFacts, Target
from orchestrator.plan.model import Cluster


def target(folder: Path, environment: dict[str, str], cluster: Cluster | None = None) -> Target:
    cluster = cluster or make_cluster(folder)
    facts = {
        member.name: MemberFacts(
            id=f"a{number}",
            name=f"etcd-{number}",
            version="3.4.23",
            peer_urls=(f"http://{member.address}:2380",),
            environment=environment,
            user="etcd",
            group="etcd",
        )
        for number, member in enumerate(cluster.members, start=1)
    }
    return Target(cluster, Facts(cluster_id="c1", members=facts), cluster.members[0])
