"""Ctrl-C in a run: the first one stops it behind the step in flight, the second one leaves at once."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fake_program import command, environment

from orchestrator.engine import state_file
from orchestrator.engine.progress import Progress


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run whose first step is in flight."""
    process = subprocess.Popen(
        command(tmp_path, "run", "plan.yaml", "--yes", job_s=0.4),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        while "step 1 of 18" not in process.stderr.readline():
            assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.communicate()


def progress(folder: Path) -> Progress:
    return Progress.of(state_file.read(folder / "plan.yaml.state.jsonl")[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_one_lets_the_step_finish_and_says_how_to_go_on(
    tmp_path: Path, running: subprocess.Popen[str], number: signal.Signals
) -> None:
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert 128 + number == running.returncode, said
    assert "in flight, for" in said
    assert f"Go on with: {sys.executable} -m orchestrator run plan.yaml --resume\n" in said
    reached = progress(tmp_path)
    assert {} == reached.unsettled
    assert ["staged"] * 3 == list(reached.states.values())  # a round that hosts take at once


def test_the_second_one_leaves_the_step_in_doubt(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    assert running.stderr is not None
    running.send_signal(signal.SIGINT)
    while "in flight, for" not in running.stderr.readline():
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert 130 == running.returncode
    assert progress(tmp_path).unsettled


def test_a_hang_up_stops_nothing(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGHUP)
    _, said = running.communicate(timeout=120)
    assert 0 == running.returncode, said
    assert progress(tmp_path).is_finished
