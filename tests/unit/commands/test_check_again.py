"""What would beat our settings at the next restart stops a resume; what the run itself will heal does not."""

import base64
from collections.abc import Collection, Iterable
from pathlib import Path

import pytest
from support.sites import make_site

from orchestrator.commands import check
from orchestrator.errors import HostUnreachableError, RefusedError
from orchestrator.etcd.facts import process, sandbox
from orchestrator.etcd.install import unit
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answer, Answers, Question, Script
from orchestrator.migrations import MIGRATIONS
from orchestrator.session import Session

RIVAL = "/etc/systemd/system/etcd2.service.d/95-theirs.conf"
HTTP = '[Service]\nEnvironment="ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380"\n'


class Hosts:
    """Hosts without a running etcd; server2 has another drop-in, and server3 may be away."""

    def __init__(self, drop_in: str, away: str = "") -> None:
        self.unit = f"LoadState=loaded\ndrop_in={base64.b64encode(drop_in.encode()).decode()} {RIVAL}\n"
        self.away = away

    def look(self, questions: Iterable[Question]) -> Answers:
        asked = tuple(questions)
        if self.away in {question.host for question in asked}:
            raise HostUnreachableError(self.away, "timed out")
        return {question: self.answer(question) for question in asked}

    def answer(self, question: Question) -> Answer:
        if isinstance(question, Script) and question.script == sandbox.SCRIPT:
            return Answer(0, f"same {question.arguments[1]}\n")
        has_it = (
            isinstance(question, Script) and question.script == unit.SCRIPT and question.host == "server2"
        )
        return Answer(0, self.unit if has_it else "LoadState=loaded\n")

    def perform(self, job: Job) -> JobResult:
        raise AssertionError(job)


class Restarting(Hosts):
    """server1's etcd is about to be started: systemd has forked, and execs behind so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__("")
        self.looks = looks

    def answer(self, question: Question) -> Answer:
        if isinstance(question, Script) and question.host == "server1":
            if question.script == unit.SCRIPT:
                return Answer(0, "LoadState=loaded\nEnvironment=ETCD_NAME=server1\n")
            if question.script == process.SCRIPT:
                self.looks -= 1
                reported = "ETCD_NAME=server1" if self.looks < 0 else "container=systemd-nspawn"
                environ = base64.b64encode(reported.encode()).decode()
                cmdline = base64.b64encode(b"/usr/bin/etcd" if self.looks < 0 else b"(etcd)").decode()
                return Answer(0, f"LoadState=loaded\nMainPID=30\nenviron={environ}\ncmdline={cmdline}\n")
        return super().answer(question)


def again(folder: Path, hosts: Hosts, unsettled: Collection[str] = ()) -> None:
    site = make_site(folder)
    session = Session(folder / "plan.yaml", folder / "s", site.cluster, MIGRATIONS["bridge"], (), hosts)
    check.undisputed(session, site.facts, unsettled, sleep=lambda _: None)


@pytest.mark.parametrize("away", ["", "server3"])
def test_a_rival_is_named_with_its_fix_and_how_to_go_on(tmp_path: Path, away: str) -> None:
    with pytest.raises(RefusedError) as refused:
        again(tmp_path, Hosts(HTTP, away))
    reported = str(refused.value)
    assert f"{RIVAL} is read after our 40-tls.conf and sets ETCD_LISTEN_PEER_URLS" in reported
    assert f"mv -n {RIVAL} {RIVAL.replace('95-', '20-')}; systemctl daemon-reload" in reported
    assert "run plan.yaml --resume" in reported.replace(f"{tmp_path}/", "")


def test_members_that_are_down_and_hosts_that_are_away_are_the_runs_own_business(tmp_path: Path) -> None:
    again(tmp_path, Hosts('[Service]\nEnvironment="ETCD_HEARTBEAT_INTERVAL=200"\n', "server3"))


def test_a_process_between_fork_and_exec_is_looked_at_again_where_a_step_is_unsettled(tmp_path: Path) -> None:
    again(tmp_path, Restarting(looks=2), {"server1"})
    with pytest.raises(RefusedError, match="does not run with what the unit's files say of ETCD_NAME"):
        again(tmp_path, Restarting(looks=9), {"server1"})
    with pytest.raises(RefusedError, match="ETCD_NAME"):
        again(tmp_path, Restarting(looks=2))
