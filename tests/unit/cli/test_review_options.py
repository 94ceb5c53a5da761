"""How a review is asked for: the command plan and run --dry-run, their forms, and their exit codes."""

import json
from pathlib import Path

import pytest
from support.fake_program import called


def test_plan_prints_what_a_dry_run_prints_and_changes_nothing(tmp_path: Path) -> None:
    planned, dry = (called(tmp_path, *words, "plan.yaml") for words in (("plan",), ("run", "--dry-run")))
    assert (0, 0) == (planned.returncode, dry.returncode), planned.stderr + dry.stderr
    assert "Round stage: plaintext -> staged" in planned.stdout
    assert planned.stdout == dry.stdout
    assert not (tmp_path / "plan.yaml.state.jsonl").exists()
    assert "\x1b" not in planned.stdout


def test_for_programs_nothing_but_json_is_on_standard_output(tmp_path: Path) -> None:
    done = called(tmp_path, "plan", "plan.yaml", "--format", "json", "--out", "reviewed.json")
    assert 0 == done.returncode, done.stderr
    review = json.loads(done.stdout)
    assert (1, "bridge", "forward") == (review["format"], review["migration"], review["direction"])
    assert f"--reviewed {'reviewed.json'}" in done.stderr


def test_verbose_shows_the_gates(tmp_path: Path) -> None:
    gate = "then wait until server1 is staged: "
    assert gate not in called(tmp_path, "plan", "plan.yaml").stdout
    assert gate in called(tmp_path, "plan", "plan.yaml", "-v").stdout


def test_the_exit_code_tells_whether_anything_is_to_be_done_where_that_is_asked(tmp_path: Path) -> None:
    assert 2 == called(tmp_path, "plan", "plan.yaml", "--detailed-exitcode").returncode
    assert 2 == called(tmp_path, "plan", "plan.yaml", "--detailed-exitcode", "--offline").returncode
    assert 2 == called(tmp_path, "run", "plan.yaml", "--dry-run", "--detailed-exitcode").returncode


def test_what_was_reviewed_needs_no_terminal_and_what_has_moved_ends_with_5(tmp_path: Path) -> None:
    assert 0 == called(tmp_path, "plan", "plan.yaml", "--out", "reviewed.json").returncode
    assert 64 == called(tmp_path, "run", "plan.yaml").returncode  # nobody can be asked
    paused = called(tmp_path, "run", "plan.yaml", "--reviewed", "reviewed.json", "--until", "staged")
    assert 0 == paused.returncode, paused.stderr
    moved = called(tmp_path, "run", "plan.yaml", "--reviewed", "reviewed.json", "--resume")
    assert 5 == moved.returncode
    assert "host: server1 stood in its first state, and stands in staged" in moved.stderr


def test_a_ticket_takes_the_commands_by_hand_too(tmp_path: Path) -> None:
    ticket = called(tmp_path, "plan", "plan.yaml", "--format", "markdown")
    both = called(tmp_path, "plan", "plan.yaml", "--format", "markdown", "--as-runbook")
    assert "# The same by hand" not in ticket.stdout
    assert "# The same by hand" in both.stdout
    key = tmp_path / "server1-key.pem"
    assert f"PRIVATE KEY-----/p' {key} |" in both.stdout  # from where the plan has it
    assert key.read_text() not in both.stdout
    assert both.stdout.startswith("# Migration bridge of cluster three-members")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("plan", "plan.yaml", "--as-runbook"), "add --format markdown"),
        (("plan", "plan.yaml", "--offline", "--out", "f"), "leave --out out"),
        (("run", "plan.yaml", "--format", "json"), "add --dry-run"),
        (("run", "plan.yaml", "--detailed-exitcode"), "add --dry-run"),
        (("rollback", "plan.yaml", "--out", "f"), "add --dry-run"),
        (("plan", "plan.yaml", "--format", "yaml"), "is not one of"),
        (("run", "plan.yaml", "--dry-run", "--reviewed", "f"), "--reviewed does what was reviewed"),
        (("rollback", "plan.yaml", "--dry-run", "--reviewed", "f"), "--reviewed does what was reviewed"),
        (("run", "plan.yaml", "--dry-run", "-o", "json", "--format", "json"), "as JSON: --format json"),
        (("rollback", "plan.yaml", "--dry-run", "-o", "json"), "as JSON: --format json"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, words: tuple[str, ...], reason: str) -> None:
    done = called(tmp_path, *words)
    assert 64 == done.returncode
    assert reason in done.stderr
