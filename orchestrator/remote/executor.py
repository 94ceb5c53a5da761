"""What the engine asks of whatever stands between it and the hosts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.host.checks import Check, Poll
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answers, Question


@dataclass(frozen=True, slots=True)
class Refusal:
    """A gate that does not hold, and why; ``where`` is the check's place, if it was one."""

    gate: str
    reason: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.gate}: {self.reason}"


def refused(gates: Sequence[Check], answers: Answers) -> tuple[Refusal, ...]:
    """Judge gates by the answers to all their questions; return those that do not hold."""
    judged = ((gate, gate.refusal(answers)) for gate in gates)
    return tuple(Refusal(gate.title, reason, gate.where) for gate, reason in judged if reason is not None)


class Hosts(Protocol):
    """The hosts themselves: over SSH, or a fake world in the engine's tests."""

    def look(self, questions: Iterable[Question]) -> Answers:
        """Answer every question, equal ones once; raises HostUnreachableError or LoginRefusedError."""
        ...

    def perform(self, job: Job) -> JobResult:
        """Perform a job, or, if a job of this id was performed before, return its result.

        Raises HostUnreachableError if the connection was lost and the result could not be read: the job is
        then in doubt.
        """
        ...


class Executor(Protocol):
    """What the engine drives: the live one looks and does, the dry run's only looks."""

    def refusals(self, gates: Sequence[Check]) -> tuple[Refusal, ...]:
        """Look once and return the gates that do not hold; none if all do."""
        ...

    def poll(self, poll: Poll) -> str | None:
        """Return the name of the member that a poll finds, or None."""
        ...

    def perform(self, job: Job) -> JobResult:
        """Perform a job once, as Hosts.perform does."""
        ...


class LiveExecutor:
    """Looks at the hosts and performs jobs on them."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    def refusals(self, gates: Sequence[Check]) -> tuple[Refusal, ...]:
        """Ask all gates' questions in one look, then judge."""
        questions = dict.fromkeys(question for gate in gates for question in gate.questions)
        answers = self._hosts.look(questions)
        return refused(gates, answers)

    def poll(self, poll: Poll) -> str | None:
        """Ask the poll's questions and read the answers."""
        return poll.read(self._hosts.look(poll.questions))

    def perform(self, job: Job) -> JobResult:
        """Perform the job on its host."""
        return self._hosts.perform(job)
