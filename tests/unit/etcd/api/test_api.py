"""What etcd and etcdctl print, version by version, and how it is read: every parser's table."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine.world import make_cluster
from ruamel.yaml import YAML

from orchestrator.etcd.api import Api, Hashed, MemberStatus, Registered, of, v2, v3
from orchestrator.etcd.checks import versions
from orchestrator.etcd.endpoints import Endpoint
from orchestrator.etcd.facts import host, members
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Facts, MemberFacts, Target

CASES = YAML(typ="safe", pure=True).load((Path(__file__).parents[3] / "cases" / "etcdctl.yaml").read_text())
PARSERS = {
    "v2 member list",
    "v2 status",
    "v2 health",
    "v3 member list",
    "v3 endpoint status",
    "v3 endpoint health",
    "v3 endpoint hashkv",
    "v3 alarm list",
    "version",
}
VERSIONS = {"2.3", "3.3", "3.4", "3.5", "3.6"}
V2, V3 = v2.V2(), v3.V3()


def cases(*parsers: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("parser", "case"),
        [
            pytest.param(parser, case, id=f"{parser} of {case['version']}: {case['case']}")
            for parser in parsers
            for case in CASES[parser]
        ],
    )


def answer(case: dict[str, Any]) -> Answer:
    return Answer(case["exit"], case.get("stdout", ""), case.get("stderr", ""))


def interface(parser: str) -> Api:
    return V2 if parser.startswith("v2") else V3


def reader(fact: Fact[Any] | None) -> Callable[[Answer], Any]:
    assert fact is not None
    return fact.reader


def target(folder: Path, api: str = "v2") -> Target:
    cluster = make_cluster(folder)
    found = MemberFacts(
        id="a1", name="etcd-1", version="3.4.23", peer_urls=(), environment={}, user="etcd", group="etcd"
    )
    facts = Facts.model_validate({"cluster_id": "c1", "api": api, "members": {"server1": found}})
    return Target(cluster, facts, cluster.members[0])


@pytest.fixture
def one(tmp_path: Path) -> Target:
    return target(tmp_path)


def test_every_parser_has_a_case_of_every_version_that_has_it() -> None:
    assert PARSERS == set(CASES)
    for parser in PARSERS:
        missing = VERSIONS - {".".join(case["version"].split(".")[:2]) for case in CASES[parser]}
        assert missing <= ({"2.3"} if parser.startswith("v3") else set()), parser


@cases("v2 member list", "v3 member list")
def test_a_member_list_is_read(parser: str, case: dict[str, Any], one: Target) -> None:
    if "refused" in case:
        with pytest.raises(ValueError) as refusal:  # noqa: PT011 -- its whole text is compared
            reader(interface(parser).members(one))(answer(case))
        assert case["refused"] == str(refusal.value)
        return
    expected = [
        Registered(
            id=member["id"],
            name=member["name"],
            peer_urls=tuple(member["peers"]),
            client_urls=tuple(member["clients"]),
            is_learner=member.get("learner", False),
        )
        for member in case["members"]
    ]
    found = reader(interface(parser).members(one))(answer(case))
    assert {member.id: member for member in expected} == found


@cases("v2 status", "v3 endpoint status")
def test_a_members_standing_is_read(parser: str, case: dict[str, Any], one: Target) -> None:
    if "refused" in case:
        with pytest.raises(ValueError) as refusal:  # noqa: PT011 -- its whole text is compared
            reader(interface(parser).status(one))(answer(case))
        assert case["refused"] == str(refusal.value)
        return
    assert MemberStatus(**case["standing"]) == reader(interface(parser).status(one))(answer(case))


@cases("v2 health", "v3 endpoint health")
def test_health_is_judged_of_one_member(parser: str, case: dict[str, Any], one: Target) -> None:
    assert case["complaint"] == interface(parser).health(one).reader(answer(case)).complaint(
        case.get("member", "")
    )


@cases("v3 endpoint hashkv")
def test_a_members_hash_is_read(parser: str, case: dict[str, Any], one: Target) -> None:
    if "refused" in case:
        with pytest.raises(ValueError) as refusal:  # noqa: PT011 -- its whole text is compared
            reader(interface(parser).hash_at(one, 0))(answer(case))
        assert case["refused"] == str(refusal.value)
        return
    assert Hashed(**case["hashed"]) == reader(interface(parser).hash_at(one, 0))(answer(case))


@cases("v3 alarm list")
def test_alarms_are_read(parser: str, case: dict[str, Any], one: Target) -> None:
    if "refused" in case:
        with pytest.raises(ValueError) as refusal:  # noqa: PT011 -- its whole text is compared
            reader(interface(parser).alarms(one))(answer(case))
        assert case["refused"] == str(refusal.value)
        return
    assert case["alarms"] == reader(interface(parser).alarms(one))(answer(case))


@cases("version")
def test_the_interface_is_found_out(parser: str, case: dict[str, Any], tmp_path: Path) -> None:
    member = target(tmp_path)
    fact = members.version(member)

    def chosen(wanted: str) -> tuple[str, str]:
        cluster = member.cluster.model_copy(update={"api": wanted})
        name, faults = versions.interface(cluster, {fact.question: answer(case)}, {member.name: fact})
        return name, "\n".join(faults)

    if "refused" in case:
        assert re.search(case["refused"], chosen("auto")[1])
        return
    assert (case["interface"], "") == chosen("auto"), parser
    if case["stdout"].rstrip().endswith("404"):
        assert "the v2 interface is not served by server1" in chosen("v2")[1]
    else:
        assert chosen("v2") == ("v2", "")


def test_v2_neither_hands_leadership_over_nor_has_alarms(tmp_path: Path) -> None:
    member = target(tmp_path)
    assert of(member).name == "v2"
    assert V2.move_leader("a1", Endpoint("http://127.0.0.1:4001")) is None
    assert V2.alarms(member) is None


def test_v2_registers_both_peer_urls_with_one_put() -> None:
    urls = ("http://198.18.0.101:2380", "https://198.18.0.101:2380")
    run = V2.update_peers("e1a04ced8fd5e6e4", urls, Endpoint("http://127.0.0.1:4001"))

    assert ("curl", "http://127.0.0.1:4001/v2/members/e1a04ced8fd5e6e4") == (run.argv[0], run.argv[-1])
    assert {"--fail", "-XPUT", "Content-Type: application/json"} <= set(run.argv)
    assert {"peerURLs": list(urls)} == json.loads(run.argv[run.argv.index("--data") + 1])


def test_v2_asks_for_health_with_the_hosts_own_certificate(tmp_path: Path) -> None:
    question = V2.health(target(tmp_path)).question
    assert isinstance(question, Script)
    assert (
        "etcd2",
        "/etc/etcd2/ca.pem",
        "/etc/etcd2/server1.pem",
        "/etc/etcd2/server1-key.pem",
    ) == question.arguments


@pytest.mark.parametrize(
    "script",
    [v2.MEMBERS, v2.STATUS, v2.HEALTH, v3.ASK, v3.HASH, members.VERSION, host.HOST],
    ids=["v2 member list", "v2 status", "v2 health", "v3", "v3 hash", "version", "host"],
)
def test_shellcheck_passes(script: str) -> None:
    program = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run(
        [program, "--norc", "-s", "sh", "-"], input=script, capture_output=True, text=True, check=False
    )
    assert checked.stdout == ""
