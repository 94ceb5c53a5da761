"""check, review and status say what is true: before the first change, in the middle, at the end."""

import socket

from live.stories import failure, orchestrator, state_file

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN


def said(lab: Lab, code: int, *words: str) -> str:
    done = orchestrator(lab, *words)
    assert code == done.returncode, f"{words}: {failure(done)}"
    return done.stdout + done.stderr


def test_each_command_says_what_is_true_from_the_first_look_to_a_lost_state_file(lab: Lab) -> None:
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
    said(lab, 0, "status", PLAN)

    said(lab, 0, "run", PLAN, "--yes", "--until", "bridged")
    assert "going on: 6 steps, with: " in said(lab, 0, "status", PLAN)
    assert "a migration is under way" in said(lab, 7, "check", PLAN)

    said(lab, 0, "run", PLAN, "--resume")
    for _ in range(2):
        said(lab, 0, "status", PLAN)
        assert "already migrated: every member stands in 'sealed'" in said(lab, 0, "check", PLAN)
        state_file(lab).unlink(missing_ok=True)
