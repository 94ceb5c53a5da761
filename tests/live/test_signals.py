"""Ctrl-C, SIGTERM and SIGHUP in the middle of a real run: what is said, what is left, and that it goes on."""

import shlex
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from live.faults.strikes import job_under_way
from live.stories import events, orchestrator, restarts, state_file, wait_until_healthy
from support.terminals import Terminal, terminal

from orchestrator.engine.progress import Progress
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

ANSWER = "is in flight, for"


class Running:
    """The program, started as an operator does, in the background."""

    def __init__(self, lab: Lab, errors: Path, *arguments: str) -> None:
        self._lab, self._errors = lab, errors
        command = lab.command([sys.executable, "-m", "orchestrator", *arguments])
        with errors.open("w") as stream:
            self._process = subprocess.Popen(
                command, cwd=lab.directory, env=lab.environment(), stdout=subprocess.DEVNULL, stderr=stream
            )

    def said(self) -> str:
        return self._errors.read_text()

    def wait_for(self, round_: str) -> None:
        """Wait until the job of a round's second step is under way."""
        is_now = job_under_way(self._lab, round_)
        while not is_now(events(self._lab)):
            assert self._process.poll() is None, self.said()
            time.sleep(0.005)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def answer_s(self) -> float:
        """How long it takes until a signal that was just sent is answered."""
        sent = time.monotonic()
        while ANSWER not in self.said():
            assert self._process.poll() is None, self.said()
            time.sleep(0.002)
        return time.monotonic() - sent

    def end(self) -> int:
        return self._process.wait(120)


@pytest.mark.timeout(900)
def test_signals_stop_between_two_steps_and_a_lost_terminal_stops_nothing(lab: Lab, tmp_path: Path) -> None:
    run = Running(lab, tmp_path / "one", "run", PLAN, "--yes")
    run.wait_for("accept")
    run.send(signal.SIGINT)
    took_s = run.answer_s()
    assert 130 == run.end()
    assert "accept/server" in run.said().partition(ANSWER)[0].splitlines()[-1]
    assert "error: stopped before accept/" in run.said()
    assert f"Go on with: {sys.executable} -m orchestrator run plan.yaml --resume" in run.said()
    assert not Progress.of(events(lab)).unsettled, "the step in flight was not finished"
    assert took_s < 1.0, "0.1 s are promised, and a busy machine may take some more"

    run = Running(lab, tmp_path / "two", "run", PLAN, "--resume")
    run.wait_for("bridge")
    run.send(signal.SIGTERM)
    assert 143 == run.end(), run.said()
    assert not Progress.of(events(lab)).unsettled

    run = Running(lab, tmp_path / "three", "run", PLAN, "--resume")
    run.wait_for("switch")
    run.send(signal.SIGINT)
    run.answer_s()
    run.send(signal.SIGINT)
    began = time.monotonic()
    assert 130 == run.end()
    assert time.monotonic() - began < 10.0
    assert Progress.of(events(lab)).unsettled, "it did not leave at once"

    run = Running(lab, tmp_path / "four", "run", PLAN, "--resume")
    run.wait_for("seal")
    run.send(signal.SIGHUP)
    assert 0 == run.end(), run.said()
    wait_until_healthy(lab)
    assert dict.fromkeys(("server1", "server2", "server3"), 2) == restarts(lab)


def at_a_terminal(lab: Lab, *arguments: str) -> AbstractContextManager[Terminal]:
    command = lab.command([sys.executable, "-m", "orchestrator", *arguments])
    return terminal(command, lab.directory, lab.environment())


def in_a_shell(lab: Lab, redirections: str, *arguments: str) -> int:
    """Run the program with redirections, and return its own exit code."""
    command = shlex.join(lab.command([sys.executable, "-m", "orchestrator", *arguments]))
    script = f"{{ {command}; echo $? >exit; }} {redirections}"
    subprocess.run(["bash", "-c", script], check=False, cwd=lab.directory, env=lab.environment(), timeout=180)
    return int((lab.directory / "exit").read_text())


def outcome(lab: Lab) -> str:
    return getattr(events(lab)[-1], "outcome", "not ended")


@pytest.mark.timeout(900)
def test_no_output_no_reader_and_no_terminal_can_stop_a_run(lab: Lab) -> None:
    with at_a_terminal(lab, "run", PLAN) as seat:
        seat.read(60, until="Do this? [y/N]: ")
        seat.type("\x03")
        assert "interrupted; nothing was changed\n" in seat.read()
        assert 130 == seat.end()
    assert not state_file(lab).exists()

    assert 0 == in_a_shell(lab, ">/dev/full 2>&1", "run", PLAN, "--yes", "--until", "staged")
    assert "paused" == outcome(lab)

    with at_a_terminal(lab, "rollback", PLAN) as seat:  # its locks are taken before it asks
        seat.read(60, until="Do this? [y/N]: ")
        seat.type("\x03")
        seat.read()
        assert 130 == seat.end()
    locks = orchestrator(lab, "unlock", PLAN).stdout.splitlines()
    assert [f"server{number}  free" for number in (1, 2, 3)] == locks

    assert 0 == in_a_shell(lab, "2>&1 | head -n 1", "run", PLAN, "--resume", "--until", "bridged")
    assert "paused" == outcome(lab)

    with at_a_terminal(lab, "run", PLAN, "--resume") as seat:
        seat.read(120, until="step 13 of 18")
        seat.hang_up()
        assert 0 == seat.end(180)
    assert "finished" == outcome(lab)
    wait_until_healthy(lab)
    assert dict.fromkeys(("server1", "server2", "server3"), 2) == restarts(lab)
