"""Who is cut off when a member's client port leaves http: named by process or address, and nobody else."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from engine.world import make_cluster
from support.sites import make_site
from support.targets import target

from orchestrator.etcd.checks import clients
from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.etcd.checks.site import Site
from orchestrator.etcd.facts.connections import SCRIPT, Connections, read
from orchestrator.etcd.facts.talkers import sampled
from orchestrator.host.checks import Remark
from orchestrator.host.questions import Answer, Question

ONE, TWO = "198.18.0.101", "198.18.0.102"
HTTP = ("http://0.0.0.0:2379", "http://127.0.0.1:4001")


def reported(folder: Path, seen: Mapping[str, Connections]) -> Remark:
    (remark,) = clients.judged(target(folder, {"ETCD_LISTEN_CLIENT_URLS": ",".join(HTTP)}), seen)
    return remark


def connections(*came: tuple[str, str], went: Mapping[tuple[str, str], str] | None = None) -> Connections:
    return Connections(HTTP, came, went or {})


REMOTE, LOCAL = "203.0.113.7 41000", "127.0.0.1 50000"
FROM_TWO = (f"{TWO} 50000", f"{ONE} 2379")
NOBODY = "nobody is connected over plain http now"
TLS = Connections(("https://0.0.0.0:2379",), ((f"{ONE} 2379", REMOTE),), {})
AT_HOME = connections(("127.0.0.1 2379", LOCAL), went={(LOCAL, "127.0.0.1 2379"): "patroni (pid 7)"})
THREE = connections(*((f"{ONE} 2379", f"203.0.113.7 4100{number}") for number in range(3)))
CASES: list[tuple[str, Mapping[str, Connections], str, str]] = [
    ("nobody", {"server1": connections()}, "pass", NOBODY),
    ("a remote one", {"server1": connections((f"{ONE} 2379", REMOTE))}, "warn", "'switch': 203.0.113.7"),
    ("three of one", {"server1": THREE}, "warn", "3 connections over plain http, which ends in the round"),
    ("the local port", {"server1": connections(("127.0.0.1 4001", LOCAL))}, "pass", NOBODY),
    ("the host itself", {"server1": connections((f"{ONE} 2379", f"{ONE} 50000"))}, "pass", NOBODY),
    ("a process at home", {"server1": AT_HOME}, "warn", "patroni (pid 7) on server1"),
    (
        "a process on another host",
        {
            "server1": connections((f"{ONE} 2379", f"{TWO} 50000")),
            "server2": Connections(HTTP, (), {FROM_TWO: "confd (pid 9)"}),
        },
        "warn",
        "confd (pid 9) on server2",
    ),
    (
        "another host's loopback, from the same port",  # a member is connected to itself there
        {
            "server1": connections(("127.0.0.1 2379", LOCAL)),
            "server2": Connections(HTTP, (), {(LOCAL, "127.0.0.1 2379"): "patroni (pid 7)"}),
        },
        "pass",
        NOBODY,
    ),
    ("over https", {"server1": TLS}, "pass", "no listener of it speaks plain http"),
]


@pytest.mark.parametrize(
    ("seen", "verdict", "evidence"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_who_is_cut_off_is_named(
    tmp_path: Path, seen: Mapping[str, Connections], verdict: str, evidence: str
) -> None:
    remark = reported(tmp_path, seen)
    assert verdict == remark.verdict
    assert evidence in remark.evidence


def test_who_comes_for_a_moment_is_named_too(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    one = site.members[0]
    asked = {fact: Answer(0, "urls http://0.0.0.0:2379\n") for fact in _questions(site)}
    brief = "row 203.0.113.9 2379 http 1 2 7 100 0 - -\nrow 127.0.0.1 2379 http 1 2 7 100 0 ? ?\n"
    asked[sampled(one, 2).question] = Answer(0, f"state active\nsince 1\nticked 3\nmeans perl\n{brief}")
    (check, *_) = clients.clients(site)
    (remark,) = check.judge(asked)
    assert ("warn", True) == (remark.verdict, "7 connections over plain http" in remark.evidence)
    assert "203.0.113.9 (7)" in remark.evidence
    asked[sampled(one, 2).question] = Answer(1, "", "ss: invalid option --events")
    first, second = check.judge(asked)
    assert ("pass", "warn") == (first.verdict, second.verdict)
    assert "cannot tell who comes for a moment only: ss: invalid option --events" in second.evidence


def _questions(site: Site) -> set[Question]:
    return {question for check in clients.clients(site) for question in check.questions}


def test_without_a_local_port_nobody_is_sent_to_it(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path, local="none")
    fleet = {(LOCAL, "127.0.0.1 4001"): "fleetd (pid 7)"}
    seen = {"server1": connections(("127.0.0.1 4001", LOCAL), went=fleet)}
    (remark,) = clients.judged(target(tmp_path, {}, cluster), seen)
    assert "fleetd (pid 7) on server1" in remark.evidence
    assert "ports: {local: 4001}" in (remark.fix or "")


def test_a_process_is_named_with_its_own_id(tmp_path: Path) -> None:
    """ss and systemctl are played, the process is real: it belongs to nobody of this session."""
    forked = subprocess.run(
        ["sh", "-c", "sleep 60 > /dev/null 2>&1 & echo $!"], capture_output=True, text=True, check=True
    )
    pid = int(forked.stdout)
    line = f'0 0 127.0.0.1:50000 127.0.0.1:2379 users:((\\"patroni\\",pid={pid},fd=7))'
    for name, body in (("systemctl", "echo 0"), ("ss", f'[ "$1" = --version ] || echo "{line}"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    try:
        asked = subprocess.run(
            ["sh", "-c", SCRIPT, "sh", "etcd2", "1", "2379", "4001"],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
    finally:
        os.kill(pid, signal.SIGKILL)
    found = read(Answer(0, asked.stdout))
    assert {("127.0.0.1 50000", "127.0.0.1 2379"): f"patroni (pid {pid})"} == found.went


def test_the_host_that_does_not_show_its_connections_is_named(tmp_path: Path) -> None:
    site = make_site(tmp_path, "server1", "server2")
    one = next(each for each in CHECKLIST if each.name == "clients")
    examination = next(iter(one.make(site)))
    answers = {
        question: Answer(1, "", "broken") if question.host == "server2" else Answer(0, "")
        for question in examination.questions
    }
    (reported,) = one.findings(examination, answers)
    assert "cannot tell: server2 does not show its connections: broken" == reported.evidence
    assert reported.fix.startswith("on server2: ")


@pytest.mark.parametrize(
    ("line", "verdict"), [("", "pass"), ("in 198.18.0.101:2379 203.0.113.7:41000\n", "warn")]
)
def test_the_check_tells_of_every_member(tmp_path: Path, line: str, verdict: str) -> None:
    site = make_site(tmp_path)
    one = next(each for each in CHECKLIST if each.name == "clients")
    found = [
        finding.verdict
        for examination in one.make(site)
        for finding in one.findings(
            examination,
            dict.fromkeys(examination.questions, Answer(0, f"urls http://0.0.0.0:2379\n{line}")),
        )
    ]
    assert [verdict] == found
