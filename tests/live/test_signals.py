"""Ctrl-C, SIGTERM and SIGHUP in the middle of a real run: what is said, what is left, and that it goes on."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from live.faults.strikes import deed_under_way
from live.stories import events, restarts, wait_until_healthy

from orchestrator.engine.progress import Progress
from orchestrator.lab.lab import Lab
from orchestrator.lab.plancopy import PLAN

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
        """Wait until the deed of a round's second step is under way."""
        is_now = deed_under_way(self._lab, round_)
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
    assert "Go on with: python -m orchestrator run plan.yaml --resume" in run.said()
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
