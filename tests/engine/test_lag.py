"""How far members are behind in raft's log: told by answers to gates, noted in events, shown in the table."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from engine.walking import compiled, context, header, run
from engine.world import World, make_cluster
from support.reported import usual

from orchestrator.engine.events import RECORDED, RunBegan, StepSucceeded
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.gather import gather
from orchestrator.host.checks import FURTHEST, Check
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answer, Question
from orchestrator.remote.executor import LiveExecutor
from orchestrator.report import board, sentences
from orchestrator.report.view import View


class Late(World):
    """Its server2 has applied less of the log than the others."""

    applied = 4

    def _answer(self, question: Question) -> Answer:
        found = super()._answer(question)
        if question.host == "server2" and '"raftIndex"' in found.stdout:
            (one,) = json.loads(found.stdout)
            one["Status"]["raftAppliedIndex"] = self.applied
            return replace(found, stdout=json.dumps([one]))
        return found


class UndoneError(Exception):
    """A job that is not to be done."""


class Sealed(Late):
    """Does nothing."""

    def perform(self, job: Job) -> JobResult:
        raise UndoneError(job.id)


def test_steps_note_how_far_each_member_was_behind_and_the_table_shows_it(tmp_path: Path) -> None:
    cluster, event_log = make_cluster(tmp_path), MemoryEventLog()
    world = Late(cluster)
    runbook = compiled(cluster, world)
    event_log.append(header(gather(cluster, world.look), runbook))
    event_log.append(RunBegan(pid=7, host="bastion", user="anna", runbook=runbook.digest, is_resumed=False))
    run(runbook, LiveExecutor(world), event_log, context(cluster))
    ended = [event for event in event_log.events if isinstance(event, StepSucceeded)]
    assert all({"server1": 0, "server2": 5, "server3": 0} == event.behind for event in ended)
    read = [RECORDED.validate_json(event.model_dump_json()) for event in event_log.events]
    assert read == list(event_log.events)
    view = View.of(read, cluster, usual())
    assert view is not None
    assert sentences.lag(view).startswith("raft: server2 5 entries behind (noted at ")
    view = replace(view, ended=None)
    shown = board.lines(view, datetime(2026, 3, 4, tzinfo=UTC), 100, 40, is_painted=False)
    assert sentences.lag(view) in [line.strip() for line in shown]
    assert "" == sentences.lag(replace(view, behind_at=None)), "nobody has looked"
    assert sentences.lag(replace(view, behind={"server1": 0})).startswith("raft: nobody behind (noted at ")


def test_what_was_seen_before_a_job_is_not_told_behind_it(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world = Sealed(cluster)
    executor = LiveExecutor(world)
    runbook = compiled(cluster, World(cluster))
    step = next(one for one in runbook.steps.values() if any(gate.behind for gate in one.gates))
    executor.refusals(step.gates)
    assert executor.behind
    with pytest.raises(UndoneError):
        executor.perform(Job("stage", step.host, step.operations, 1.0, step.id))
    assert {} == dict(executor.behind)


@pytest.mark.parametrize("count", [-1, FURTHEST + 1, 2**64])
def test_a_number_that_cannot_be_true_is_not_noted(count: int) -> None:
    told = {"server1": count, "server2": FURTHEST}
    assert {"server2": FURTHEST} == Check("server1", (), lambda _: (), behind=lambda _: told).measured({})
