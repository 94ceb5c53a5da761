"""The dry run's executor: it sees what is real, and assumes that every job goes well."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from orchestrator.host.checks import Check, Poll
from orchestrator.host.operations import Job, JobResult
from orchestrator.remote.executor import Executor, Refusal

NOTHING_SEEN: Mapping[str, int] = MappingProxyType({})


class Unseen:
    """Hosts that nobody looks at: gates are taken to hold, and this member to lead."""

    behind: Mapping[str, int] = NOTHING_SEEN

    def __init__(self, leader: str) -> None:
        self._leader = leader

    def refusals(self, gates: Sequence[Check], *, max_age_s: float = 0.0) -> tuple[Refusal, ...]:
        """Take every gate to hold."""
        del gates, max_age_s
        return ()

    def poll(self, poll: Poll, *, max_age_s: float = 0.0) -> str | None:
        """Name the one who is taken to lead."""
        del poll, max_age_s
        return self._leader

    def perform(self, job: Job) -> JobResult:
        """Refuse: nothing is done to a host that nobody looks at."""
        raise ValueError(f"{job.id}: no host is touched")


class DryRunExecutor:
    """Touches nothing; ``jobs`` holds what a live run would have done, in its order.

    Until the first job everything that it sees is real, so a dry run finds what a live run's first gates
    would find. From then on gates are taken to hold, and leadership to stay where the last handover put it,
    or, where nobody leads until such jobs are done, with the host of the last one.
    """

    behind: Mapping[str, int] = NOTHING_SEEN

    def __init__(self, live: Executor) -> None:
        self._live = live
        self._successor: str | None = None
        self.jobs: list[Job] = []

    def refusals(self, gates: Sequence[Check], *, max_age_s: float = 0.0) -> tuple[Refusal, ...]:
        """Look for real before the first job; afterwards all gates hold."""
        return () if self.jobs else self._live.refusals(gates, max_age_s=max_age_s)

    def poll(self, poll: Poll, *, max_age_s: float = 0.0) -> str | None:
        """Return what the last handover brought about, or else what is real, or else who it may well be."""
        found = self._successor or self._live.poll(poll, max_age_s=max_age_s)
        return found or (self.jobs[-1].host if self.jobs else None)

    def perform(self, job: Job) -> JobResult:
        """Note the job down."""
        self.jobs.append(job)
        self._successor = job.successor or self._successor
        return JobResult(0, "")
