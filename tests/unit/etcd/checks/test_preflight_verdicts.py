"""Checks judged as the checklist makes them, in a world of fake hosts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.judging import Case, Change, Scene, Stage, fails, runs, sees, status

from orchestrator.etcd.checks.health import MAX_LAG
from orchestrator.etcd.checks.item import Finding, Item
from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.etcd.checks.site import Site
from orchestrator.host import lock
from orchestrator.host.questions import Answer

HOLDER = lock.Holder("ab12", "1", "b", "/w/plan.state.jsonl", "anna@bastion", "12:00", "run")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("worlds"))


def item(name: str) -> Item:
    return next(one for one in CHECKLIST if one.name == name)


def site_of(scene: Scene) -> Site:
    now = datetime.now(UTC)
    cluster = scene.target.cluster
    return Site(cluster, scene.target.facts, {host.name: (now, now) for host in cluster.hosts}, now)


def findings(name: str, scene: Scene) -> list[Finding]:
    return [
        one
        for examination in item(name).make(site_of(scene))
        for one in item(name).findings(
            examination, {question: scene.answer(question) for question in examination.questions}
        )
    ]


@pytest.mark.parametrize(
    ("name", "given", "verdict", "evidence"),
    [
        ("raft lag", (), "pass", ""),
        ("raft lag", (status("server2", raftIndex=9 + MAX_LAG // 2 + 1),), "warn", "server1"),
        ("raft lag", (status("server2", raftIndex=10 + MAX_LAG),), "fail", "server1"),
        ("raft lag", (fails("server3", "endpoint status"),), "pass", ""),  # 'quorum' complains of it
        ("registry", (), "pass", "server1 is a1, server2 is a2, server3 is a3"),
        (
            "registry",
            (sees("server2", "server3", peerURLs=["http://198.18.0.103:1"]),),
            "fail",
            "same registry",
        ),
        (
            "registry",
            tuple(sees(f"server{n}", "server3") for n in (1, 2, 3)),
            "fail",
            "the plan has server3 (a3)",
        ),
        (
            "registry",
            tuple(sees(f"server{n}", "server3", name="") for n in (1, 2, 3)),
            "fail",
            "server3 (a3) is registered, and was never started",
        ),
        (
            "registry",
            (runs("server1", ETCD_LISTEN_PEER_URLS="https://0.0.0.0:2380"),),
            "warn",
            "server1 is registered with http://198.18.0.101:2380, and listens on https",
        ),
        (
            "registry",
            (
                runs("server1", ETCD_LISTEN_PEER_URLS="https://0.0.0.0:2380"),
                *(status(f"server{n}", leader=0) for n in (1, 2, 3)),
            ),
            "fail",
            "server1 is registered with http://198.18.0.101:2380, and listens on https",
        ),
        (
            "registry",
            (sees("server1", "server1", clientURLs=["http://0.0.0.0:2379"]),),
            "fail",
            "server1 advertises http://0.0.0.0:2379: a client that follows it dials its own host",
        ),
        (
            "registry",
            (sees("server1", "server1", clientURLs=["http://198.18.0.101:2379", "http://[::]:2379"]),),
            "fail",
            "server1 advertises http://[::]:2379",
        ),
        (
            "registry",
            tuple(fails(f"server{n}", "endpoint status") for n in (1, 2, 3)),
            "fail",
            "no member reports its registry",
        ),
    ],
)
def test_members_are_judged(
    stage: Stage, name: str, given: tuple[Change, ...], verdict: str, evidence: str
) -> None:
    found = findings(name, stage.scene(Case(name, "plaintext", given)))
    rank = {"pass": 0, "warn": 1, "fail": 2}
    worst = max(found, key=lambda one: rank[one.verdict])
    assert verdict == worst.verdict
    assert any(one.verdict == verdict and evidence in one.evidence for one in found)


@pytest.mark.parametrize(
    ("answer", "verdict", "evidence"),
    [
        (Answer(0, ""), "pass", "nobody holds it"),
        (Answer(0, HOLDER.text), "fail", "held by run ab12 (anna@bastion, since 12:00, doing run"),
        (Answer(0, "garbage\x1b[2J"), "fail", "held by run garbage"),
        (Answer(1, "", "cut off"), "fail", "cannot tell: cut off"),
    ],
)
def test_a_lock_is_judged(stage: Stage, answer: Answer, verdict: str, evidence: str) -> None:
    site = site_of(stage.scene(Case("lock", "plaintext")))
    for examination in item("lock").make(site):
        (one,) = item("lock").findings(examination, {lock.held(examination.where).question: answer})
        assert verdict == one.verdict
        assert evidence in one.evidence


def test_every_host_is_asked_for_its_lock(tmp_path: Path) -> None:
    site = site_of(Stage(tmp_path).scene(Case("lock", "plaintext")))
    asked = [examination.questions for examination in item("lock").make(site)]
    assert [(lock.held(host.name).question,) for host in site.cluster.hosts] == asked
