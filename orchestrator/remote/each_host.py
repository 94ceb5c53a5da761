"""Asking each host by itself, so that one that fails hides no other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answer, Answers, Question
from orchestrator.remote.at_once import at_once
from orchestrator.remote.executor import Hosts

HostError = HostUnreachableError | LoginRefusedError


@dataclass(frozen=True, slots=True)
class Heard:
    """What the hosts answered, and why those did not that are missing; by the host's name."""

    answers: Answers
    errors: Mapping[str, HostError]


class AskedOnce:
    """Hosts that are asked each question once, for a command that shows one moment and waits for nothing.

    A host that did not answer is not asked again: a silent one would take its time for each part of it.
    """

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._answers: dict[Question, Answer] = {}
        self._errors: dict[str, HostError] = {}

    def look(self, questions: Iterable[Question]) -> Answers:
        """Answer every question, those that were asked before with what was said then; raises as Hosts do."""
        asked = tuple(questions)
        new = [question for question in asked if question not in self._answers]
        if error := next((self._errors[one.host] for one in new if one.host in self._errors), None):
            raise error
        try:
            self._answers.update(self._hosts.look(new) if new else {})
        except (HostUnreachableError, LoginRefusedError) as error:
            self._errors[error.host] = error
            raise
        return {question: self._answers[question] for question in asked}

    def perform(self, job: Job) -> JobResult:
        """Refuse to do anything."""
        raise ValueError(f"nothing is done here: {job.id}")


def ask_each(hosts: Hosts, questions: Iterable[Question]) -> Heard:
    """Ask every question, equal ones once, all hosts at the same time; a host that fails raises nothing."""
    by_host: dict[str, list[Question]] = {}
    for question in dict.fromkeys(questions):
        by_host.setdefault(question.host, []).append(question)
    answers: dict[Question, Answer] = {}
    errors: dict[str, HostError] = {}

    def ask(host: str) -> None:
        try:
            answers.update(hosts.look(by_host[host]))
        except (HostUnreachableError, LoginRefusedError) as error:
            errors[host] = error

    at_once(ask, by_host)
    return Heard(answers, errors)
