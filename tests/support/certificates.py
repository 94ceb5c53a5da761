"""The table of certificates, and what our checks say of a kind."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.world import make_cluster
from ruamel.yaml import YAML
from support.targets import target

from orchestrator.etcd.checks import material
from orchestrator.etcd.checks.site import Site
from orchestrator.plan.facts import Target

CASES: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(
    (Path(__file__).parents[1] / "cases" / "certificates.yaml").read_text()
)


def planned(folder: Path) -> Target:
    """One member that is dialled by 127.0.0.1, with a kind's files."""
    cluster = make_cluster(folder, members=1)
    member = cluster.members[0].model_copy(
        update={"certificate": folder / "leaf.pem", "key": folder / "leaf-key.pem", "address": "127.0.0.1"}
    )
    tls = cluster.tls.model_copy(
        update={"client_certificate": folder / "leaf.pem", "client_key": folder / "leaf-key.pem"}
    )
    found = target(folder, {"ETCD_ADVERTISE_CLIENT_URLS": "http://127.0.0.1:2379"})
    facts = found.facts.members["server1"].model_copy(update={"peer_urls": ("http://127.0.0.1:2380",)})
    one = cluster.model_copy(update={"members": (member,), "tls": tls})
    return Target(one, found.facts.model_copy(update={"members": {"server1": facts}}), member)


def refusals(member: Target) -> list[str]:
    """What the checks of the bastion's files say."""
    site = Site(member.cluster, member.facts, {}, datetime.now(UTC))
    return [
        remark.evidence
        for judge in (material.pairs, material.bundle, material.intermediates)
        for remark in judge(site)
        if remark.verdict == "fail"
    ]
