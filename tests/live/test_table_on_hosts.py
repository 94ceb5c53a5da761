"""The live table over a real run: in tmux, at several sizes, with both Ctrl-Cs, and watched by another."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from live.stories import events, orchestrator, restarts, wait_until_healthy
from support.tmux import Screen, screen

from orchestrator.engine.events import HandedOver, StepStarted
from orchestrator.engine.progress import Progress
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.report.event_lines import LINE

MEMBERS = ("server1", "server2", "server3")


@contextmanager
def seat(lab: Lab, columns: int, *arguments: str) -> Iterator[Screen]:
    """The program in a terminal of that width."""
    command = lab.command([sys.executable, "-m", "orchestrator", *arguments])
    gone = {"COLUMNS", "LINES", "NO_COLOR"}
    variables = {name: value for name, value in lab.environment().items() if name not in gone}
    with screen(lab.directory, command, variables, columns=columns, rows=30) as seen:
        yield seen


def wait_for_table(seen: Screen, columns: int, step: str) -> list[str]:
    """Wait for one whole table that shows a step, and return it."""

    def is_whole(table: list[str]) -> bool:
        words = "\n".join(table)
        return step in words and "if you go back now: " in words

    table = seen.wait_for_table(is_whole, within_s=120)
    assert all(len(line) < columns for line in table), table
    assert all(any(line.startswith(f"{name} ") for line in table) for name in MEMBERS), table
    return table


@pytest.mark.timeout(900)
def test_a_real_run_is_seen_at_every_width_and_stopped_with_ctrl_c(lab: Lab) -> None:
    canary = ("--canary", "server3", "--soak", "5s")
    with seat(lab, 80, "run", PLAN, "--yes", *canary) as seen:
        wide = wait_for_table(seen, 80, "accept/server3")
        assert any(line.startswith("server3  proven ") and "accept, restarts" in line for line in wide)
        assert any(line.startswith("quorum: 2 of 3 healthy, server3 restarts") for line in wide)
        seen.wait_for("server3 is the canary: its gates hold", within_s=60)
        seen.resize(40, 30)
        narrow = wait_for_table(seen, 40, "accept/")
        assert ["member", "state", "cl/peers"] == narrow[0].split()
        seen.resize(200, 40)
        wait_for_table(seen, 200, "bridge/")
        seen.press("C-c")
        seen.wait_for("in flight, for ")
        assert 130 == seen.exit_code()
        seen.wait_for("run plan.yaml --resume")
    began = [event.step for event in events(lab) if isinstance(event, StepStarted)]
    assert "accept/server3" == next(step for step in began if step.startswith("accept/"))
    assert not Progress.of(events(lab)).unsettled, "the step in flight was not finished"

    with seat(lab, 80, "run", PLAN, "--resume") as seen:
        wait_for_table(seen, 80, "switch/")
        seen.press("C-c")
        seen.wait_for("in flight, for ")
        seen.press("C-c")
        assert 130 == seen.exit_code(within_s=10)
    assert Progress.of(events(lab)).unsettled, "it did not leave at once"

    with seat(lab, 80, "run", PLAN, "--resume", "--until", "switched") as seen:
        assert 0 == seen.exit_code(180), seen.shown()
        seen.wait_for("server1  switched  https    https")
    watched = orchestrator(lab, "watch", PLAN)
    assert 0 == watched.returncode, watched.stderr
    assert "paused: every member has reached switched; " in watched.stderr

    with seat(lab, 80, "run", PLAN, "--resume") as running:
        running.wait_for("round seal", within_s=60)
        lines = orchestrator(lab, "watch", PLAN, "-o", "json").stdout.splitlines()
        assert 0 == running.exit_code()
    assert ["run_began", "run_ended"] == [
        json.loads(line)["event"]["event"] for line in (lines[0], lines[-1])
    ]
    assert all(LINE.validate_json(line) for line in lines)
    wait_until_healthy(lab)
    assert dict.fromkeys(MEMBERS, 2) == restarts(lab)


@pytest.mark.timeout(900)
def test_a_canary_that_leads_hands_over_first_and_each_step_may_be_asked_for(lab: Lab) -> None:
    leader = next(
        host.name
        for host in lab.hosts
        if '"leader":' in (said := host.run(["etcdctl", "endpoint", "status", "-w", "json"]).stdout)
        and json.loads(said)[0]["Status"]["leader"] == json.loads(said)[0]["Status"]["header"]["member_id"]
    )
    done = orchestrator(lab, "run", PLAN, "--yes", "--until", "accepting", "--canary", leader, "-o", "json")
    assert 0 == done.returncode, done.stderr
    assert all(LINE.validate_json(line) for line in done.stdout.splitlines())
    accepted = [event for event in events(lab) if getattr(event, "step", "").startswith("accept/")]
    assert isinstance(accepted[0], HandedOver)
    assert leader == accepted[0].host
    undone = orchestrator(lab, "rollback", PLAN, "--yes", "-o", "json")
    assert 0 == undone.returncode, undone.stderr
    lines = [json.loads(line)["event"] for line in undone.stdout.splitlines()]
    assert ("run_began", "back") == (lines[0]["event"], lines[0]["direction"])
    with seat(lab, 100, "run", PLAN, "--yes", "--step") as seen:
        seen.wait_for("stage/server1: plaintext to staged. Take this step? [y/N]:", within_s=60)
        seen.press("y", "Enter")
        seen.wait_for("stage/server2: plaintext to staged. Take this step? [y/N]:", within_s=60)
        seen.press("n", "Enter")
        assert 130 == seen.exit_code()
    wait_until_healthy(lab)
