"""Why a run stopped, and whether a person is needed: what heals within the plan's patience is waited for."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import OrchestratorError, PersonNeededError, StoppedError
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answers, Question
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.model import Patience
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_forward

SHUTTING_DOWN = JobResult(125, "interrupted on the host\n")


class Rebooting(World):
    """A world in which a host reboots in the middle of one job, and etcd is back after some looks."""

    looks_left = 0

    def perform(self, job: Job) -> JobResult:
        if job.step != "accept/server1":
            return super().perform(job)
        self.looks_left = 3
        return SHUTTING_DOWN

    def look(self, questions: Iterable[Question]) -> Answers:
        self.looks_left = max(0, self.looks_left - 1)
        self.hosts["server1"].is_running = not self.looks_left
        return super().look(questions)


@pytest.mark.parametrize(("gate_s", "kind"), [(5.0, StoppedError), (0.0, PersonNeededError)])
def test_a_host_that_reboots_gets_the_rest_of_the_steps_patience(
    tmp_path: Path, gate_s: float, kind: type[OrchestratorError]
) -> None:
    patient = Patience(gate_s=gate_s, pause_s=0.0)
    cluster = make_cluster(tmp_path).model_copy(update={"patience": patient})
    world, event_log = Rebooting(cluster), MemoryEventLog()
    with pytest.raises(kind, match="accept/server1: its script ended with 125: interrupted on the host"):
        run(compiled(cluster, world), LiveExecutor(world), event_log, context(cluster))


def test_what_to_do_without_a_quorum_is_reported_only_where_there_is_none(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world, event_log = World(cluster), MemoryEventLog()
    runbook = compiled(cluster, world)
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="accepting")
    whole = dict(world.hosts["server3"].files)
    del world.hosts["server3"].files["/etc/etcd2/ca.pem"]
    with pytest.raises(StoppedError, match=r"ca\.pem is missing") as stopped:
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert "quorum" not in str(stopped.value)

    world.hosts["server3"].files = dict(whole)
    world.hosts["server3"].is_running = False
    with pytest.raises(PersonNeededError, match="Without a quorum etcd takes no 'member update'") as alarmed:
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert "server1: registered with http: server3 cannot tell: connection refused" in str(alarmed.value)


def test_the_guides_window_is_reported_of_though_the_cluster_is_healthy(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world, event_log = World(cluster), MemoryEventLog()
    runbook = compile_forward(cluster, gather(cluster, world.look), MIGRATIONS["guide"])
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="accepting")
    del world.hosts["server3"].files["/etc/etcd2/ca.pem"]
    with pytest.raises(StoppedError, match=r"the cluster is healthy\n  In this window"):
        run(runbook, LiveExecutor(world), event_log, context(cluster))


def test_patience_that_is_used_up_still_allows_a_look() -> None:
    assert Patience(gate_s=90.0).after(30.0) == Patience(gate_s=60.0)
    assert Patience(gate_s=90.0).after(91.0) == Patience(gate_s=0.0)


# fmt: off
SCRIPTS = (
    ('{"level":"warn","msg":"again"}\nError: too late\nfailed: run it\n', "Error: too late / failed: run it"),
    ('{"level":"fatal","msg":"no"}\n',                                     '{"level":"fatal","msg":"no"}'),
    ("1\n2\n3\n4\n5\n6\n",                                                "2 / 3 / 4 / 5 / 6"),
    ("",                                                                   ""),
    ("x" * 65_536 + "\n",                                                  "…" + "x" * 1000),
)
# fmt: on


@pytest.mark.parametrize(("output", "reported"), SCRIPTS)
def test_the_last_words_of_a_script_are_those_for_people(output: str, reported: str) -> None:
    assert reported == JobResult(1, output).last_words
