"""``status`` shows one moment: it asks nothing twice, and looks anew the next time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest

from orchestrator.commands import locks, recover
from orchestrator.commands.status import show_status
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answers, Question
from orchestrator.remote.executor import Hosts
from orchestrator.session import Session


@dataclass
class Counted:
    hosts: Hosts
    asked: Counter[Question] = field(default_factory=Counter)

    def look(self, questions: Iterable[Question]) -> Answers:
        asked = tuple(questions)
        self.asked.update(asked)
        return self.hosts.look(asked)

    def perform(self, job: Job) -> JobResult:
        return self.hosts.perform(job)


def test_a_host_is_asked_each_question_once_for_one_look_at_where_it_stands(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "look", lambda _: {})
    monkeypatch.setattr(recover, "forgotten", lambda _: "")
    counted = Counted(session.hosts)
    show_status(replace(session, hosts=counted))
    assert set(counted.asked.values()) == {1}

    show_status(replace(session, hosts=counted))
    assert set(counted.asked.values()) == {2}
