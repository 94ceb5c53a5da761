"""check, review and status say what is true: before the first change, in the middle, at the end, and back.

Going back from each round's middle: faults/test_faults_of_orchestrator.py.
"""

import socket

import pytest
from live.stories import failure, orchestrator, state_file, writing
from live.untouched import Before

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN


def said(lab: Lab, code: int, *words: str) -> str:
    done = orchestrator(lab, *words)
    assert code == done.returncode, f"{words}: {failure(done)}"
    return done.stdout + done.stderr


def stand_bridged(lab: Lab) -> None:
    status = said(lab, 0, "status", PLAN)
    rows = [line.split() for line in status.splitlines() if line.startswith("server")]
    assert [[f"server{n}", f"198.18.0.10{n}", "bridged", "bridged"] for n in (1, 2, 3)] == rows
    assert "going back now: 12 steps" in status
    assert "going on: 6 steps, with: " in status
    assert "a migration is under way" in said(lab, 7, "check", PLAN)


@pytest.mark.timeout(900)
def test_each_command_says_what_is_true_on_the_way_there_and_back_and_with_a_lost_state_file(
    lab: Lab,
) -> None:
    before = Before.of(lab)
    address = lab.host("server1").entry.address
    with lab.in_bastion(), socket.create_connection((address, 2379)) as client:
        who = client.getsockname()[0]
        reported = said(lab, 0, "check", PLAN)
        assert f"1 connection over plain http, which ends in the round 'switch': {who}\n" in reported
        assert "server2, server3: nobody is connected over plain http now" in reported
        review = said(lab, 0, "run", PLAN, "--dry-run").partition("MAY MOVE: ")[2].splitlines()
        assert review[0].startswith("from the round 'switch' on a member's client port speaks https only")
        assert review[1].startswith(
            f"MAY MOVE: server1: 1 connection over plain http, which ends in the round 'switch': {who}"
        )
    assert "no state file: plan.yaml.state.jsonl\n" in said(lab, 0, "status", PLAN)

    state = state_file(lab)
    kept = state.with_name("kept")
    with writing(lab):
        said(lab, 0, "run", PLAN, "--yes", "--until", "bridged")
        stand_bridged(lab)

        said(lab, 0, "run", PLAN, "--resume")
        assert "going back now: 18 steps" in said(lab, 0, "status", PLAN)
        assert "already migrated: every member stands in 'sealed'" in said(lab, 0, "check", PLAN)
        state.rename(kept)
        said(lab, 0, "status", PLAN)
        assert "already migrated: every member stands in 'sealed'" in said(lab, 0, "check", PLAN)
        kept.rename(state)
        said(lab, 0, "rollback", PLAN, "--yes")
    before.assert_again(lab)

    said(lab, 0, "run", PLAN, "--yes", "--until", "staged")
    assert len(list(state.parent.glob("plan.yaml.state.jsonl.*"))) == 1
