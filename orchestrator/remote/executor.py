"""What the engine asks of whatever stands between it and the hosts."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

from orchestrator.host.checks import Check, Poll
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answers, Question


@dataclass(frozen=True, slots=True)
class Refusal:
    """A gate that does not hold, and why; ``where``, ``fix`` and ``name`` are the check's, if it was one."""

    gate: str
    reason: str
    where: str = ""
    fix: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.gate}: {self.reason}"


def refused(gates: Sequence[Check], answers: Answers) -> tuple[Refusal, ...]:
    """Judge gates by the answers to all their questions; return those that do not hold."""
    judged = ((gate, gate.refusal(answers)) for gate in gates)
    return tuple(
        Refusal(gate.title, reason, gate.where, gate.fix, gate.name)
        for gate, reason in judged
        if reason is not None
    )


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


class Nobody:
    """No hosts at all, for a command that asks none: to ask one all the same is our bug."""

    def look(self, questions: Iterable[Question]) -> Answers:
        """Refuse to ask."""
        raise ValueError(f"no host is asked here: {list(questions)}")

    def perform(self, job: Job) -> JobResult:
        """Refuse to do anything."""
        raise ValueError(f"nothing is done here: {job.id}")


class Executor(Protocol):
    """What the engine drives: the live one looks and does, the dry run's only looks.

    Answers at most ``max_age_s`` old are not asked for again, if nothing was done since. ``behind`` is how
    far hosts were behind the others when their gates were last judged, if nothing was done since.
    """

    @property
    def behind(self) -> Mapping[str, int]:
        """Return it by the hosts' names; nobody is asked for it."""
        ...

    def refusals(self, gates: Sequence[Check], *, max_age_s: float = 0.0) -> tuple[Refusal, ...]:
        """Look once and return the gates that do not hold; none if all do."""
        ...

    def poll(self, poll: Poll, *, max_age_s: float = 0.0) -> str | None:
        """Return the name of the member that a poll finds, or None."""
        ...

    def perform(self, job: Job) -> JobResult:
        """Perform a job once, as Hosts.perform does."""
        ...


class LiveExecutor:
    """Looks at the hosts and performs jobs on them."""

    def __init__(self, hosts: Hosts, clock: Callable[[], float] = time.monotonic) -> None:
        self._hosts = hosts
        self._clock = clock
        self._answers: Answers = {}
        self._asked_at = -inf  # when the oldest of these was asked for
        self._behind: Mapping[str, int] = {}

    @property
    def behind(self) -> Mapping[str, int]:
        """Return what the answers said beside the verdicts."""
        return self._behind

    def refusals(self, gates: Sequence[Check], *, max_age_s: float = 0.0) -> tuple[Refusal, ...]:
        """Ask all gates' questions in one look, then judge."""
        answers = self._look((question for gate in gates for question in gate.questions), max_age_s)
        # the gates of all members that say so are given the same answers, and say the same
        self._behind = next(filter(None, (gate.measured(answers) for gate in gates)), self._behind)
        return refused(gates, answers)

    def poll(self, poll: Poll, *, max_age_s: float = 0.0) -> str | None:
        """Ask the poll's questions and read the answers."""
        return poll.read(self._look(poll.questions, max_age_s))

    def perform(self, job: Job) -> JobResult:
        """Perform the job on its host; whatever was answered before it counts no more."""
        self._answers, self._behind = {}, {}
        return self._hosts.perform(job)

    def _look(self, questions: Iterable[Question], max_age_s: float) -> Answers:
        now = self._clock()
        if now - self._asked_at >= max_age_s or not self._answers:
            self._answers, self._asked_at = {}, now
        missing = [question for question in dict.fromkeys(questions) if question not in self._answers]
        if missing:
            self._answers = {**self._answers, **self._hosts.look(missing)}
        return self._answers
