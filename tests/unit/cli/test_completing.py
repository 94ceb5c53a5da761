"""What bash, zsh and fish complete."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.event_logs import EVENTS
from unit.pki.pki_plans import plan_in

from orchestrator.engine.state_file import create


def completed(folder: Path, shell: str, line: str) -> str:
    """What the program tells a shell behind a line that ends where the cursor is."""
    words = line.split(" ")
    asked = {
        "_ORCHESTRATOR_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", ""))))
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator"],
        env={**os.environ, "PYTHONPATH": path, **asked},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "" == done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plan_in(tmp_path)
    create(tmp_path / "plan.yaml.state.jsonl", EVENTS)
    (tmp_path / "plan.yaml.state.jsonl.ef56ab78").touch()
    (tmp_path / "plan.yaml.state.jsonl.bak").touch()
    return tmp_path


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("orchestrator run plan.yaml --until sea", {"sealed"}),
        ("orchestrator files plan.yaml server", {"server1", "server2", "server3"}),
        ("orchestrator unlock plan.yaml ", {"ab12cd34", "ef56ab78"}),
        ("orchestrator graph gui", {"guide"}),
    ],
    ids=["state", "member", "run", "migration"],
)
def test_a_shell_is_told_the_words(folder: Path, shell: str, line: str, expected: set[str]) -> None:
    told = completed(folder, shell, line)

    assert all(word in told for word in expected)
    assert not any(word in told for word in ({"sealed", "server1", "ab12cd34", "guide", "bak"} - expected))


def test_without_a_plan_there_is_nothing_to_tell_and_no_error(tmp_path: Path) -> None:
    assert "" == completed(tmp_path, "bash", "orchestrator unlock none.yaml ").strip()
