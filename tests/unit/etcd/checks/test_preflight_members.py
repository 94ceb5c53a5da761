"""Checks of the cluster before the first change: versions, registry, quorum, lag and counts."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from support.sites import item, make_site, verdicts

from orchestrator.etcd.api.words import MemberStatus, Registered, wants_login
from orchestrator.etcd.checks.health import MAX_LAG, behind
from orchestrator.etcd.checks.item import Finding
from orchestrator.etcd.checks.membership import compare
from orchestrator.etcd.checks.site import Site, assumed
from orchestrator.etcd.facts import members
from orchestrator.etcd.facts.hashes import LARGE_BYTES
from orchestrator.etcd.facts.members import COUNT, DOWNGRADE, VERSION
from orchestrator.host.questions import Answer, Question, Script
from orchestrator.plan.model import Auth

ALL = ("server1", "server2", "server3")
ALARM = Answer(0, "memberID:162 alarm:NOSPACE ")  # 0xa2
DEAD = Answer(1, "", "context deadline exceeded")


def status(number: int, leader: int = 2, index: int = 9) -> Answer:
    header = {"cluster_id": 0xC1, "member_id": 0xA0 + number}
    reported = {"header": header, "version": "3.4.23", "leader": 0xA0 + leader, "raftIndex": index}
    return Answer(0, json.dumps([{"Status": reported}]))


def answered(name: str, site: Site, changes: Mapping[tuple[str, str], Answer]) -> list[Finding]:
    """Judge a check of healthy members, but for ``changes``: by host and the question's last word."""
    found: list[Finding] = []
    for examination in item(name).make(site):
        answers: dict[Question, Answer] = {}
        for question in examination.questions:
            assert isinstance(question, Script)
            named = {DOWNGRADE: DOWNGRADE, COUNT: COUNT, VERSION: "etcd2"}
            word = named.get(question.script, question.arguments[-1])
            number = int(question.host[-1])
            healthy = {
                "json": status(number),
                "health": Answer(0, "healthy"),
                "list": Answer(0, ""),
                "etcd2": Answer(0, '{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}\n404\n'),
                DOWNGRADE: Answer(0, "404 page not found\n 404"),
                COUNT: Answer(0, '{"header":{},"count":7}\n3\n'),
            }
            answers[question] = changes.get((question.host, word), healthy[word])
        found += item(name).findings(examination, answers)
    return found


def version(server: str, cluster: str) -> Answer:
    return Answer(0, json.dumps({"etcdserver": server, "etcdcluster": cluster}) + "\n404\n")


@pytest.mark.parametrize(
    ("changes", "expected", "evidence"),
    [
        ({}, ["pass"], "3.4.23 on server1, server2, server3"),
        ({("server2", "etcd2"): version("3.5.1", "3.4.0")}, ["fail"], "different versions"),
        (
            {(name, "etcd2"): version("3.5.1", "3.4.0") for name in ALL},
            ["fail"],
            "but the cluster works as 3.4.0",
        ),
        ({("server1", DOWNGRADE): Answer(0, "true 200")}, ["pass", "fail"], "3.4.23"),
        ({("server3", "etcd2"): DEAD}, ["fail", "pass"], "server3 does not report its version"),
    ],
)
def test_versions(
    tmp_path: Path, changes: Mapping[tuple[str, str], Answer], expected: list[str], evidence: str
) -> None:
    found = answered("versions", make_site(tmp_path, *ALL), changes)
    assert expected == verdicts(found)
    assert evidence in found[0].evidence
    if "does not report" in evidence:
        assert found[0].fix.startswith("on server3: systemctl status etcd2.service")


@pytest.mark.parametrize(
    ("changes", "expected", "evidence"),
    [
        ({}, ["pass"], "3 of 3 healthy, can lose 1; server2 leads"),
        ({("server3", "health"): DEAD}, ["fail"], "server3 is not healthy: context deadline exceeded"),
        ({("server3", "json"): DEAD, ("server3", "health"): DEAD}, ["fail"], "it reports no status"),
        ({("server3", "json"): status(3, leader=1)}, ["fail", "pass"], "do not agree on a leader"),
        ({("server3", "json"): status(3, leader=-0xA0)}, ["fail", "pass"], "do not agree on a leader"),
        ({("server1", "list"): ALARM}, ["fail", "pass"], "an alarm is raised: server2 alarm:NOSPACE"),
    ],
)
def test_quorum(
    tmp_path: Path, changes: Mapping[tuple[str, str], Answer], expected: list[str], evidence: str
) -> None:
    found = answered("quorum", make_site(tmp_path, *ALL), changes)
    assert expected == verdicts(found)
    assert evidence in found[0].evidence


# What etcd 3.4.23 says to those who bring no login once `auth enable` was run.
LOCKED = Answer(
    1,
    "",
    "127.0.0.1:2379 is unhealthy: failed to commit proposal: etcdserver: user name is empty\n"
    "Error: unhealthy cluster\n",
)
LOCKED_STATUS = Answer(1, "", "Error: etcdserver: permission denied\n")
STOPPED = Answer(3, "", "etcd2.service has no running process\n")
SECURED = Answer(3, "", "etcd2.service has no http listener: https://0.0.0.0:2379\n")


@pytest.mark.parametrize(("word", "answer"), [("health", LOCKED), ("json", LOCKED_STATUS)])
def test_authentication_is_no_lack_of_health(tmp_path: Path, word: str, answer: Answer) -> None:
    running = base64.b64encode(b"ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379").decode()
    changes = {(name, word): answer for name in ALL} | {
        (name, "etcd2"): Answer(0, f"MainPID=7\nenviron={running}\n") for name in ALL
    }
    (one,) = answered("quorum", make_site(tmp_path, *ALL), changes)
    assert "authentication is on: the plan names no user (server1, server2, server3)" == one.evidence
    assert "etcdctl --endpoints=http://127.0.0.1:2379 --user root:PASSWORD auth disable" in one.fix
    assert one.fix.endswith("etcdctl --endpoints=http://127.0.0.1:2379 auth enable")


def test_a_user_that_is_not_taken_is_named(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("geheim\n")
    file.chmod(0o600)
    site = make_site(tmp_path, *ALL, auth=Auth(user="ops", password_file=file))
    refusal = "Error: etcdserver: authentication failed, invalid user ID or password\n"
    for refused in (refusal, "(etcdserver: user name not found)", "Error: desc = auth: user not found\n"):
        assert wants_login(Answer(1, "", refused))
    running = base64.b64encode(b"ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379").decode()
    changes = {("server2", "health"): Answer(1, "", refusal)} | {
        (name, "etcd2"): Answer(0, f"MainPID=7\nenviron={running}\n") for name in ALL
    }
    (one,) = answered("quorum", site, changes)
    assert "the user 'ops' of the plan (auth) is not taken, or lacks the role root (server2)" in one.evidence


@pytest.mark.parametrize("reason", ["context deadline exceeded", "open /x: permission denied"])
def test_what_else_is_refused_is_no_authentication(tmp_path: Path, reason: str) -> None:
    changes = {("server3", "health"): Answer(1, "", f"Error: {reason}")}
    (one,) = answered("quorum", make_site(tmp_path, *ALL), changes)
    assert f"server3 is not healthy: Error: {reason}" == one.evidence


@pytest.mark.parametrize(
    ("check", "word", "answer", "first"),
    [
        ("versions", "etcd2", SECURED, "listeners"),
        ("quorum", "json", SECURED, "listeners"),
        ("counts", COUNT, LOCKED, "quorum"),
        ("versions", "etcd2", STOPPED, "unit"),
        ("quorum", "json", STOPPED, "unit"),
        ("versions", "etcd2", Answer(1, "", "check: 19: curl: not found\n"), "tools"),
        ("quorum", "json", Answer(127, "", "check: line 19: exec: etcdctl: not found\n"), "tools"),
        ("counts", COUNT, Answer(1, "", "check: line 9: etcdctl: command not found\n"), "tools"),
    ],
)
def test_what_keeps_a_member_from_answering_is_fixed_first(
    tmp_path: Path, check: str, word: str, answer: Answer, first: str
) -> None:
    found = answered(check, make_site(tmp_path, *ALL), {("server1", word): answer})
    reported = [one.fix for one in found if one.verdict != "pass"]
    assert reported
    assert {f"what the check '{first}' prints comes first; then check again"} == set(reported)


def test_who_was_not_reached_is_named(tmp_path: Path) -> None:
    (one,) = answered("quorum", make_site(tmp_path, "server1", "server3"), {})
    assert ("fail", "server2 was not asked") == (one.verdict, one.evidence)


@pytest.mark.parametrize(
    ("answer", "verdict", "evidence"),
    [
        (Answer(0, '{"header":{},"count":7}\n3\n'), "pass", "7 keys, 3 leases"),
        (Answer(0, '{"header":{}}\n0\n'), "pass", "0 keys, 0 leases"),
        (Answer(1, "", "Error: etcdserver: user name is empty"), "warn", "user name is empty"),
    ],
)
def test_counts(tmp_path: Path, answer: Answer, verdict: str, evidence: str) -> None:
    (one,) = answered("counts", make_site(tmp_path, *ALL), {("server1", COUNT): answer})
    assert (verdict, True) == (one.verdict, evidence in one.evidence)


@pytest.mark.parametrize(
    ("size_bytes", "compares", "expected"),
    [
        (LARGE_BYTES - 1, True, []),
        (LARGE_BYTES, True, [("warn", "is hashed twice in a run")]),
        (LARGE_BYTES, "auto", [("pass", "is not compared")]),
        (LARGE_BYTES, False, []),
    ],
)
def test_a_member_that_takes_long_to_hash_is_named(
    tmp_path: Path, size_bytes: int, *, compares: bool | str, expected: list[tuple[str, str]]
) -> None:
    site = make_site(tmp_path, *ALL)
    site = replace(site, cluster=site.cluster.model_copy(update={"compare_data": compares}))
    large = json.loads(status(2).stdout)
    large[0]["Status"]["dbSize"] = size_bytes
    first, *more = answered("counts", site, {("server2", "json"): Answer(0, json.dumps(large))})
    assert ("pass", "7 keys, 3 leases") == (first.verdict, first.evidence)
    assert [verdict for verdict, _ in expected] == verdicts(more)
    for (_, words), one in zip(expected, more, strict=True):
        assert "server2 holds 0.5 GB" in one.evidence
        assert words in one.evidence


def test_v2_counts_nothing(tmp_path: Path) -> None:
    site = make_site(tmp_path, *ALL)
    (one,) = answered("counts", replace(site, facts=site.facts.model_copy(update={"api": "v2"})), {})
    assert ("pass", True) == (one.verdict, "not counted" in one.evidence)


@pytest.mark.parametrize(
    ("gap", "expected"), [(0, "pass"), (MAX_LAG // 2 + 1, "warn"), (MAX_LAG + 1, "fail")]
)
def test_lag(gap: int, expected: str) -> None:
    ahead = MemberStatus("c1", "a1", "a1", "3.4.23", 5000, 5000)
    late = MemberStatus("c1", "a2", "a1", "3.4.23", 5000, 5000 - gap)
    assert [expected] == [remark.verdict for remark in behind({"server1": ahead, "server2": late})]


def entry(number: int, *, name: str = "etcd", port: int = 2380, is_learner: bool = False) -> Registered:
    url = f"http://198.18.0.{100 + number}:{port}"
    return Registered(f"a{number}", name, (url,), (), is_learner)


IDS = {"server1": "a1", "server2": "a2", "server3": "a3"}
GOOD = {f"a{number}": entry(number) for number in (1, 2, 3)}


@pytest.mark.parametrize(
    ("registered", "ids", "expected"),
    [
        (GOOD, IDS, []),
        (GOOD, {"server1": "a1", "server3": "a3"}, []),  # server2 was not asked: its address tells
        (
            {**GOOD, "a4": entry(4, name="")},
            IDS,
            ["fail: member a4 (never started, http://198.18.0.104:2380)"],
        ),
        (
            {"a1": GOOD["a1"], "a2": GOOD["a2"]},
            IDS,
            ["fail: the plan has server3 (a3), the registry has not"],
        ),
        ({**GOOD, "a2": entry(2, is_learner=True)}, IDS, ["fail: server2 is a learner"]),
        ({**GOOD, "a2": entry(2, name="")}, IDS, ["fail: server2 (a2) is registered, and was never started"]),
        (
            {**GOOD, "a2": entry(2, port=7001)},
            IDS,
            ["warn: server2 is registered with http://198.18.0.102:7001"],
        ),
        ({**GOOD, "a2": entry(9)}, IDS, ["warn: server2 is registered with http://198.18.0.109:2380"]),
    ],
)
def test_the_registry_is_compared_with_the_plan(
    tmp_path: Path, registered: dict[str, Registered], ids: dict[str, str], expected: list[str]
) -> None:
    site = make_site(tmp_path, *ids)
    reported = [
        f"{one.verdict}: {one.evidence}" for one in compare(site, dict.fromkeys(ids, registered), ids)
    ]
    assert len(expected) == len(reported), reported
    for wanted, seen in zip(expected, reported, strict=True):
        verdict, _, evidence = wanted.partition(": ")
        assert seen.startswith(verdict)
        assert evidence in seen


def test_an_ipv6_address_stands_in_brackets_before_its_port(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    members = tuple(
        one.model_copy(update={"address": f"fd00::{one.name[-1]}"}) for one in site.cluster.members
    )
    site = replace(site, cluster=site.cluster.model_copy(update={"members": members}))
    first = next(iter(compare(site, {"server1": GOOD}, IDS)))
    assert first.evidence.endswith("and the plan has it at [fd00::1]:2380")


def test_members_that_see_different_registries_are_named(tmp_path: Path) -> None:
    seen = {"server1": GOOD, "server2": {**GOOD, "a3": entry(3, port=1)}, "server3": GOOD}
    (one,) = compare(make_site(tmp_path, *ALL), seen, IDS)
    assert ("fail", "server2 and server1 do not see the same registry") == (one.verdict, one.evidence)


def test_without_facts_the_plans_own_urls_are_expected(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    facts = assumed(site.cluster, "v3")
    assert ("http://198.18.0.102:2380",) == facts.members["server2"].peer_urls
    (pairs,) = item("certificates").make(replace(site, facts=facts))
    assert ["pass"] == [remark.verdict for remark in pairs.judge({})]


def test_the_version_is_asked_as_the_facts_ask_it(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    (examination,) = item("versions").make(site)
    assert members.version(site.members[0]) == examination.facts[0]


ETCDCTL = "ETCDCTL_API=3 etcdctl --endpoints=http://localhost:2379"


@pytest.mark.parametrize(
    ("check", "changes", "fixes"),
    [
        (
            "quorum",
            {("server1", "list"): ALARM},
            (
                f"on server1: {ETCDCTL} compact ",
                f"on server3: {ETCDCTL} --command-timeout=60s defrag",
                "disarm",
            ),
        ),
        ("quorum", {("server1", "list"): Answer(0, "memberID:162 alarm:CORRUPT")}, ("replace the member",)),
        (
            "quorum",
            {("server3", "health"): DEAD},
            ("on server3: systemctl status etcd2.service; ", "systemctl restart etcd2.service"),
        ),
        (
            "versions",
            {
                ("server2", "etcd2"): version("3.4.9", "3.4.0"),
                ("server3", "etcd2"): version("3.4.10", "3.4.0"),
            },
            ("install etcd 3.4.23 there", "on server2: systemctl restart", "on server3: systemctl restart"),
        ),
        (
            "versions",
            {("server1", DOWNGRADE): Answer(0, "true 200")},
            ("on server1: curl --noproxy '*' http://localhost:2379/v3/maintenance/downgrade --data '{",),
        ),
        (
            "counts",
            {("server1", COUNT): DEAD},
            (f"on server1: {ETCDCTL} get '' --prefix --keys-only --limit=1",),
        ),
    ],
)
def test_what_is_wrong_with_a_member_comes_with_what_is_typed_there(
    tmp_path: Path, check: str, changes: Mapping[tuple[str, str], Answer], fixes: tuple[str, ...]
) -> None:
    found = answered(check, make_site(tmp_path, *ALL), changes)
    reported = next(one.fix for one in found if one.verdict != "pass")
    assert [] == [fix for fix in fixes if fix not in reported], reported
