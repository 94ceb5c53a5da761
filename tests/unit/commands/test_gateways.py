"""A rehearsal's clients need etcd's JSON gateway: who has none is named before anything is booted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.targets import target

from orchestrator.commands import as_found
from orchestrator.errors import RefusedError
from orchestrator.etcd.facts import members
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answer, Answers, Question, Script
from orchestrator.migrations import MIGRATIONS
from orchestrator.session import Session

OPEN, SHUT = "200\n404\n", "404\n404\n"


@dataclass
class Hosts:
    """Members that answer at the gateway, and serve the v2 interface, or not."""

    gateways: Mapping[str, str]
    v2: str = "404"

    def look(self, questions: Iterable[Question]) -> Answers:
        return {question: self.answer(question) for question in questions}

    def answer(self, question: Question) -> Answer:
        assert isinstance(question, Script)
        if question.script == members.GATEWAY:
            return Answer(0, self.gateways.get(question.host, OPEN))
        assert question.script == members.VERSION
        return Answer(0, f'{{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}}\n{self.v2}\n')

    def perform(self, job: Job) -> JobResult:
        raise AssertionError(job)


def interfaces(folder: Path, hosts: Hosts, api: str = "v3") -> tuple[str, ...]:
    one = target(folder, {})
    session = Session(folder / "plan.yaml", folder / "s", one.cluster, MIGRATIONS["bridge"], (), hosts)
    return as_found._interfaces(session, one.facts.model_copy(update={"api": api}))


def test_whoever_has_none_is_named_and_what_to_do(tmp_path: Path) -> None:
    hosts = Hosts({"server1": SHUT, "server3": SHUT})
    with pytest.raises(RefusedError, match="server1, server3: etcd's JSON gateway is off") as refused:
        interfaces(tmp_path, hosts)
    assert str(refused.value).endswith("Leave --as-found out")
    assert () == interfaces(tmp_path, hosts, api="v2")


def test_who_serves_the_v2_interface_too_is_known(tmp_path: Path) -> None:
    assert () == interfaces(tmp_path, Hosts({}))
    assert ("server1", "server2", "server3") == interfaces(tmp_path, Hosts({}, v2="200"))
