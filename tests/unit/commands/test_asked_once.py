"""``status`` shows one moment: it asks nothing twice, and looks anew the next time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pytest

from orchestrator.commands import locks, recover
from orchestrator.commands.status import show_status
from orchestrator.errors import HostUnreachableError
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answer, Answers, Question, Script
from orchestrator.remote.each_host import AskedOnce, ask_each
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


def test_a_host_that_did_not_answer_is_not_waited_for_again() -> None:
    class Half:
        asked: ClassVar[list[str]] = []

        def look(self, questions: Iterable[Question]) -> Answers:
            (question,) = questions
            self.asked.append(question.host)
            if question.host == "h2":
                raise HostUnreachableError("h2", "no answer within 10 s")
            return {question: Answer(0, "")}

        def perform(self, job: Job) -> JobResult:
            raise NotImplementedError(job)

    hosts = AskedOnce(Half())
    for script in ("first", "second", "second"):
        heard = ask_each(hosts, [Script("h1", script), Script("h2", script)])
        assert [Script("h1", script)] == list(heard.answers)
        assert "h2: no answer within 10 s" == str(heard.errors["h2"])
    assert ["h1", "h1", "h2"] == sorted(Half.asked)
