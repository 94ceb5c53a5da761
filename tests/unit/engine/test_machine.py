"""The member's machine refuses what the table does not allow, and stays where it was when a step fails."""

from pathlib import Path

import pytest
from engine.world import World, make_cluster
from transitions import MachineError

from orchestrator.engine.machine import MemberMachine
from orchestrator.etcd.gather import Survey
from orchestrator.migrations import MIGRATIONS
from orchestrator.runbook.compile import compile_forward
from orchestrator.runbook.model import Runbook, Step


@pytest.fixture
def runbook(tmp_path: Path) -> Runbook:
    cluster = make_cluster(tmp_path)
    survey = Survey(cluster)
    facts = survey.read(World(cluster).look(survey.questions))
    return compile_forward(cluster, facts, MIGRATIONS["bridge"])


def test_only_the_next_round_can_be_taken(runbook: Runbook) -> None:
    taken: list[Step] = []
    for state in runbook.states:
        for stage in runbook.stages:
            machine = MemberMachine(runbook, state, taken.append)
            step = stage.steps[0]
            if stage.source == state:
                machine.step(step)
                assert stage.target == machine.state
            else:
                with pytest.raises(MachineError):
                    machine.step(step)
                assert state == machine.state
    assert [stage.steps[0] for stage in runbook.stages] == taken


def test_there_are_no_shortcuts_around_the_table(runbook: Runbook) -> None:
    machine = MemberMachine(runbook, "plaintext", lambda _: None)
    assert [] == [name for name in dir(machine) if name.startswith("to_")]


def test_a_step_that_raises_leaves_the_member_where_it_was(runbook: Runbook) -> None:
    def fail(_: Step) -> None:
        raise RuntimeError("the host is on fire")

    machine = MemberMachine(runbook, "plaintext", fail)
    with pytest.raises(RuntimeError):
        machine.step(runbook.step("stage/server1"))
    assert "plaintext" == machine.state
