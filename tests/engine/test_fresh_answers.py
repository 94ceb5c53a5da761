"""What was seen a moment ago is not asked again, unless a member is to go away or a job came between."""

from collections.abc import Iterable
from pathlib import Path

from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine import wait
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answers, Question
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.plan.model import Cluster, Patience
from orchestrator.remote.executor import LiveExecutor, Refusal
from orchestrator.runbook.compile import compile_forward


class Watched(World):
    """Notes what is asked before each job: how many questions, of how many looks."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.looks: list[int] = []
        self.looks_before: dict[str, list[int]] = {}
        self.asked: list[tuple[Question, ...]] = []

    def look(self, questions: Iterable[Question]) -> Answers:
        asked = tuple(questions)
        self.looks.append(len(asked))
        self.asked.append(asked)
        return super().look(asked)

    def perform(self, job: Job) -> JobResult:
        self.looks_before[job.step], self.looks = self.looks, []
        return super().perform(job)


def test_between_two_steps_nothing_is_asked_twice(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world = Watched(cluster)
    run(compiled(cluster, world), LiveExecutor(world, lambda: 0.0), MemoryEventLog(), context(cluster))
    alarms = 1  # another member is asked for those before the second step than behind the first
    others = (
        3  # two healths and the alarms: whether the others are well, before the next one changes anything
    )
    for round_ in ("bridge", "seal"):  # one look behind the last job is for all
        assert [others] == world.looks_before[f"{round_}/server2"] == world.looks_before[f"{round_}/server3"]
    restarted = world.looks_before["accept/server3"]
    assert len(restarted) == 2
    assert restarted[1] > alarms  # the others' health, asked anew


def test_one_look_is_enough_to_know_that_nobody_speaks_http_any_more(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world = Watched(cluster)
    facts = gather(cluster, world.look, overlaps=True)
    there, event_log = compile_forward(cluster, facts, BRIDGE), MemoryEventLog()
    run(there, LiveExecutor(world), event_log, context(cluster), until="bridged")
    world.asked = []
    run(there, LiveExecutor(world), event_log, context(cluster))
    gates = [gate for step in there.steps.values() if step.round == "switch" for gate in step.before]
    watched = {question for gate in gates for question in gate.questions if "record" in str(question)}
    assert 3 == len([asked for asked in world.asked if watched & set(asked)])


def test_answers_grow_old(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world = Watched(cluster)
    now = [0.0]

    def clock() -> float:
        now[0] += 1.1
        return now[0]

    run(compiled(cluster, world), LiveExecutor(world, clock), MemoryEventLog(), context(cluster))
    assert len(world.looks_before["bridge/server1"]) == 2


def test_a_job_makes_every_answer_old(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world = Watched(cluster)
    executor = LiveExecutor(world, lambda: 0.0)
    step = compiled(cluster, world).step("stage/server1")
    world.looks = []
    assert () == executor.refusals(step.always) == executor.refusals(step.always, max_age_s=1.0)
    assert len(world.looks) == 1

    executor.perform(Job("ab12-stage-server1-1", "server1", step.operations, 1.0, step.id))
    world.hosts["server2"].is_running = False
    assert executor.refusals(step.always, max_age_s=1.0)


def test_only_the_first_look_may_do_with_old_answers() -> None:
    ages: list[float] = []

    def ask(max_age_s: float) -> None:
        ages.append(max_age_s)
        if len(ages) < 3:
            raise wait.NotYetError((Refusal("gate", "not yet"),))

    wait.until(ask, Patience(gate_s=60.0, pause_s=0.0), lambda _: None, lambda _: None, 1.0)
    assert [1.0, 0.0, 0.0] == ages
