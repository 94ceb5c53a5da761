"""Hosts that answer anything: no plan is made of that, and nothing but a refusal comes of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

from orchestrator.commands.discovering import cluster_of, discover
from orchestrator.errors import RefusedError
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answer, Answers, Question
from orchestrator.plan.model import Cluster
from orchestrator.plan.seeds import Seed
from orchestrator.remote.executor import Hosts


class Saying:
    """Hosts that answer every question with the same words."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def look(self, questions: Iterable[Question]) -> Answers:
        return dict.fromkeys(questions, self.answer)

    def perform(self, job: Job) -> JobResult:
        raise AssertionError(job)

    @contextmanager
    def connect(self, seeds: Sequence[Seed], services: Mapping[str, str]) -> Iterator[tuple[Cluster, Hosts]]:
        yield cluster_of(seeds, services, {}), self


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(1, "", "sh: not found"), "cannot be read: sh: not found"),
        (Answer(0, ""), "server1: no systemd unit runs etcd as its main process; start it first"),
        (Answer(0, "other=docker-abc.scope\n"), "one runs in 'docker-abc.scope', which is not served"),
        (Answer(0, "unit=a: b\nunit=orchestrator-trial\n"), "which is not served"),
        (Answer(0, "unit=etcd\n"), "there is no unit etcd.service"),
        (Answer(0, "unit=etcd\nMainPID=x\nenviron=!\n"), "no plan was written"),
    ],
    ids=["failed", "none", "container", "hostile", "gone", "garbled"],
)
def test_what_no_plan_can_be_made_of_is_refused(answer: Answer, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        discover((Seed("server1"),), Saying(answer).connect, None)

    assert reason in str(refused.value)
