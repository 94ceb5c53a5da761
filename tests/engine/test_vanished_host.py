"""A host vanishes in the middle of a deed: its step is left in doubt, and nothing unseen is told."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from engine.walking import compiled, pace, run
from engine.world import World, make_cluster

from orchestrator.engine.journal import MemoryJournal
from orchestrator.errors import HostUnreachableError, OrchestratorError, PersonNeededError, StoppedError
from orchestrator.host.operations import Deed, Receipt
from orchestrator.host.questions import Answers, Question
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import LiveExecutor

STEP = "accept/server1"
LEADERS_STEP = "accept/server2"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return make_cluster(tmp_path)


class VanishingWorld(World):
    """A world in which a host vanishes behind the first deed of a step, for good or before its receipt."""

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

    def perform(self, deed: Deed) -> Receipt:
        receipt = super().perform(deed)
        if deed.step == self.step and not self.has_vanished:
            self.has_vanished = True
            self.gone = deed.host if self.for_good else ""
            raise HostUnreachableError(deed.host, "connection lost")
        return receipt


@pytest.mark.parametrize(
    ("for_good", "error", "told"),
    [
        (True, PersonNeededError, "whether the cluster is healthy cannot be seen: server1: No route to host"),
        (False, StoppedError, "the cluster is healthy"),
    ],
)
def test_its_step_is_in_doubt_and_is_not_done_twice(
    cluster: Cluster, *, for_good: bool, error: type[OrchestratorError], told: str
) -> None:
    world = VanishingWorld(cluster, STEP, for_good=for_good)
    runbook, journal = compiled(cluster, world), MemoryJournal()
    with pytest.raises(error, match=told) as stopped:
        run(runbook, LiveExecutor(world), journal, pace(cluster))
    assert f"{STEP} is in doubt" in str(stopped.value)
    assert not journal.progress.unsettled["server1"].is_failed

    world.gone = ""
    run(runbook, LiveExecutor(world), journal, pace(cluster))
    assert journal.progress.is_finished
    assert 1 == sum(deed.step == STEP for deed in world.performed)


def test_a_step_that_was_not_begun_behind_a_handover_is_not_in_doubt(cluster: Cluster) -> None:
    world = VanishingWorld(cluster, LEADERS_STEP, for_good=False)
    runbook, journal = compiled(cluster, world), MemoryJournal()
    with pytest.raises(StoppedError, match=f"{LEADERS_STEP}: server2: connection lost") as stopped:
        run(runbook, LiveExecutor(world), journal, pace(cluster))
    assert "in doubt" not in str(stopped.value)
    assert not journal.progress.unsettled

    run(runbook, LiveExecutor(world), journal, pace(cluster))
    assert journal.progress.is_finished
