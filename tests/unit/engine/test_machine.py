"""The member's machine refuses what the table does not allow, and stays where it was when a step fails."""

from pathlib import Path

import pytest
from engine.world import World, make_cluster
from transitions import MachineError

from orchestrator.engine.machine import MemberMachine
from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.runbook.compile import compile_forward
from orchestrator.runbook.model import Runbook, Step


@pytest.fixture
def runbook(tmp_path: Path) -> Runbook:
    cluster = make_cluster(tmp_path)
    facts = gather(cluster, World(cluster).look)
    return compile_forward(cluster, facts, MIGRATIONS["bridge"])


def test_only_the_next_round_can_be_taken(runbook: Runbook) -> None:
    taken: list[Step] = []
    for state in runbook.tracks["server1"]:
        for stage in runbook.stages:
            machine = MemberMachine(runbook, "server1", state, lambda step, _: taken.append(step))
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
    machine = MemberMachine(runbook, "server1", "plaintext", lambda *_: None)
    assert [] == [name for name in dir(machine) if name.startswith("to_")]


def test_a_step_that_raises_leaves_the_member_where_it_was(runbook: Runbook) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the host is on fire")

    machine = MemberMachine(runbook, "server1", "plaintext", fail)
    with pytest.raises(RuntimeError):
        machine.step(runbook.step("stage/server1"))
    assert "plaintext" == machine.state
