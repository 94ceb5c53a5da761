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
