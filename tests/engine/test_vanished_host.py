"""A host vanishes in the middle of a job: its step is left in doubt, and nothing unseen is told."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import HostUnreachableError, OrchestratorError, PersonNeededError, StoppedError
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answers, Question
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import LiveExecutor

STEP = "accept/server1"
LEADERS_STEP = "accept/server2"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return make_cluster(tmp_path)


class VanishingWorld(World):
    """A world in which a host vanishes behind the first job of a step, for good or before its result."""

    def __init__(self, cluster: Cluster, step: str, *, for_good: bool) -> None:
        super().__init__(cluster)
        self.step = step
        self.for_good = for_good
        self.has_vanished = False
        self.gone = ""

    def look(self, questions: Iterable[Question]) -> Answers:
        asked = list(questions)
        if self.gone in {question.host for question in asked}:
            raise HostUnreachableError(self.gone, "No route to host")
        return super().look(asked)

    def perform(self, job: Job) -> JobResult:
        result = super().perform(job)
        if job.step == self.step and not self.has_vanished:
            self.has_vanished = True
            self.gone = job.host if self.for_good else ""
            raise HostUnreachableError(job.host, "connection lost")
        return result


@pytest.mark.parametrize(
    ("for_good", "error", "reported"),
    [
        (True, PersonNeededError, "the cluster's health could not be checked: server1: No route to host"),
        (False, StoppedError, "the cluster is healthy"),
    ],
)
def test_its_step_is_in_doubt_and_is_not_done_twice(
    cluster: Cluster, *, for_good: bool, error: type[OrchestratorError], reported: str
) -> None:
    world = VanishingWorld(cluster, STEP, for_good=for_good)
    runbook, event_log = compiled(cluster, world), MemoryEventLog()
    with pytest.raises(error, match=reported) as stopped:
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert f"{STEP} is in doubt" in str(stopped.value)
    assert not event_log.progress.unsettled["server1"].is_failed

    world.gone = ""
    run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert event_log.progress.is_finished
    assert 1 == sum(job.step == STEP for job in world.performed)


def test_a_step_that_was_not_begun_behind_a_handover_is_not_in_doubt(cluster: Cluster) -> None:
    world = VanishingWorld(cluster, LEADERS_STEP, for_good=False)
    runbook, event_log = compiled(cluster, world), MemoryEventLog()
    with pytest.raises(StoppedError, match=f"{LEADERS_STEP}: server2: connection lost") as stopped:
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert "in doubt" not in str(stopped.value)
    assert not event_log.progress.unsettled

    run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert event_log.progress.is_finished
