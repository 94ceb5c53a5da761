"""Behind an error that somebody may meet at night stands where more is said of it."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from support.fake_program import called, environment


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=120
    )


def test_a_stopped_run_names_the_command_that_explains_it_and_that_command_does(tmp_path: Path) -> None:
    paused = called(tmp_path, "run", "plan.yaml", "--yes", "--until", "staged")
    assert (0, 0) == (paused.returncode, paused.stderr.count("more: ")), paused.stderr
    refused = called(tmp_path, "run", "plan.yaml", "--yes")
    assert 7 == refused.returncode, refused.stderr
    (more,) = re.findall(r"^more: (.*)$", refused.stderr, re.MULTILINE)
    explained = run(tmp_path, *shlex.split(more))
    assert (0, "7 (exit code): ") == (explained.returncode, explained.stdout[:15]), explained.stderr


def test_whoever_says_something_wrong_is_not_told_more(tmp_path: Path) -> None:
    done = run(tmp_path, sys.executable, "-m", "orchestrator", "run")
    assert (64, 0) == (done.returncode, done.stderr.count("more: "))


STOPS = """
from orchestrator.cli import main
from orchestrator.engine import wait
from orchestrator.errors import StoppedError
from orchestrator.remote.executor import Refusal

NAMES = "raft lag", "half way through accept/server1", "serving https", "healthy", "quorate"

def stop(**_):
    refusals = [Refusal(f"server1: {name}", "no", "server1", name=name) for name in NAMES]
    raise StoppedError("stopped") from wait.NotYetError(refusals)

main.app = stop
main.main()
"""


def test_the_checks_that_made_an_error_are_explained_too(tmp_path: Path) -> None:
    stopped = run(tmp_path, sys.executable, "-c", STOPS)
    more = re.findall(r"^more: .* explain (.*)$", stopped.stderr, re.MULTILINE)
    assert ["7", "raft lag", "serving https", "healthy"] == more, stopped.stderr
