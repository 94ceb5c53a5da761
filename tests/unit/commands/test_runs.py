"""Past runs, out of the state files beside a plan."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from support.event_logs import BEGAN, EVENTS, OPENED, OVER

from orchestrator.commands.runs import files, show
from orchestrator.engine.events import Recorded, RunEnded, StepFailed
from orchestrator.engine.state_file import create

AGAIN = OPENED.model_copy(update={"run": "ef56ab78"})
FAILED = StepFailed(step="stage/a", host="a", reason="no")
STOPPED: list[Recorded] = [*EVENTS[:-1], FAILED, RunEnded(outcome="stopped", reason="no")]


def plan_with(folder: Path, *stories: tuple[str, list[Recorded]]) -> Path:
    plan = folder / "plan.yaml"
    for end, events in stories:
        create(folder / f"plan.yaml.state.jsonl{end}", events)
    return plan


def told(plan: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    show(plan, None, is_json=True)
    runs: list[dict[str, object]] = json.loads(capsys.readouterr().out)["runs"]
    return runs


def test_each_run_is_told_with_its_outcome_and_how_far_it_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_with(tmp_path, (".ab12cd34", [*EVENTS, OVER]), ("", [AGAIN, *STOPPED[1:]]))
    first, second = told(plan, capsys)

    assert ("ab12cd34", "finished", 1, 0) == tuple(
        first[key] for key in ("run", "outcome", "steps", "failed")
    )
    assert ("ef56ab78", "stopped", 0, 1) == tuple(
        second[key] for key in ("run", "outcome", "steps", "failed")
    )
    show(plan, None, is_json=False)
    shown = capsys.readouterr().out
    assert "a staged" in shown
    assert "0, 1 failed" in shown


def test_a_process_that_was_killed_left_no_outcome(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ["ended without a word"] == [
        one["outcome"] for one in told(plan_with(tmp_path, ("", EVENTS)), capsys)
    ]


def test_a_file_that_cannot_be_read_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_with(tmp_path, ("", [OPENED, BEGAN, OVER]))
    (tmp_path / "plan.yaml.state.jsonl.00000000").write_text("no event\n")
    broken, sound = told(plan, capsys)

    assert f"recover {plan}" in str(broken["fault"])
    assert "ab12cd34" == sound["run"]


def test_files_of_another_name_are_no_runs_of_this_plan(tmp_path: Path) -> None:
    plan = plan_with(
        tmp_path, ("", EVENTS), (".ab12cd34", EVENTS), (".bak", EVENTS), (".ab12cd34.old", EVENTS)
    )

    assert ["plan.yaml.state.jsonl.ab12cd34", "plan.yaml.state.jsonl"] == [path.name for path in files(plan)]


def test_without_a_run_the_command_to_begin_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show(tmp_path / "plan.yaml", None, is_json=False)

    assert "run" in capsys.readouterr().out


def test_a_plan_whose_state_file_could_not_even_be_named_has_no_runs() -> None:
    assert () == files(Path("p" * 300))


def test_a_clock_that_was_set_back_makes_no_time_less_than_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early = OVER.model_copy(update={"at": OPENED.at - timedelta(hours=1)})
    (one,) = told(plan_with(tmp_path, ("", [*EVENTS, early])), capsys)
    assert isinstance(one["took_s"], float)
    assert 0.0 <= one["took_s"] < 3600.0
