"""Own files that were changed since a run began: a rollback would restart members with what they say."""

import base64
from collections.abc import Iterable
from pathlib import Path

import pytest
from support.sites import make_site

from orchestrator.commands import check
from orchestrator.errors import RefusedError
from orchestrator.etcd.install import unit
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answer, Answers, Question, Script
from orchestrator.migrations import MIGRATIONS
from orchestrator.session import Session

UNITS = "/etc/systemd/system/etcd2.service.d"
HTTPS = '[Service]\nEnvironment="ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380"\n'


class Hosts:
    """Hosts whose units read a drop-in of theirs, and one of ours if ``has_ours``."""

    def __init__(self, *, has_ours: bool) -> None:
        paths = [f"{UNITS}/20-theirs.conf", *([f"{UNITS}/40-tls.conf"] if has_ours else [])]
        encoded = base64.b64encode(HTTPS.encode()).decode()
        self.unit = "\n".join(f"drop_in={encoded} {path}" for path in paths)

    def look(self, questions: Iterable[Question]) -> Answers:
        return {question: self.answer(question) for question in questions}

    def answer(self, question: Question) -> Answer:
        is_unit = isinstance(question, Script) and question.script == unit.SCRIPT
        return Answer(0, self.unit if is_unit else "")

    def perform(self, job: Job) -> JobResult:
        raise AssertionError(job)


def look(folder: Path, hosts: Hosts) -> None:
    site = make_site(folder)
    session = Session(folder / "plan.yaml", folder / "s", site.cluster, MIGRATIONS["bridge"], (), hosts)
    check.returnable(session, site.facts)


def test_what_they_say_otherwise_than_before_is_named_and_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        look(tmp_path, Hosts(has_ours=True))
    reported = str(refused.value)
    assert f"{UNITS}/20-theirs.conf: line 2 says ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380" in reported
    assert "rollback plan.yaml" in reported.replace(f"{tmp_path}/", "")
    assert "nothing was changed now" in reported


def test_where_nothing_of_ours_lies_there_is_nothing_to_take_away(tmp_path: Path) -> None:
    look(tmp_path, Hosts(has_ours=False))
