"""The live table at a real terminal: tmux shows what a person sees, while the program walks fake hosts."""

import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.fake_program import command, environment
from support.on_fake_hosts import hold
from support.tmux import Screen, screen, table_of

from orchestrator.engine import state_file
from orchestrator.engine.progress import Progress

TABLE = ("member", "server1", "server2", "server3", "step ", "quorum: ", "if you go back now: ")


def started(folder: Path, *more: str, job_s: float = 0.0) -> list[str]:
    return command(folder, "run", "plan.yaml", *more, job_s=job_s)


def variables(more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {
        name: value
        for name, value in environment(more or {}).items()
        if name not in {"COLUMNS", "LINES", "NO_COLOR"}
    }


def wait_for_table(seen: Screen, columns: int, step: str) -> list[str]:
    """Wait until exactly one whole table is there, with the columns that the terminal is wide enough for."""
    head = (
        ["member", "state", "clients", "peers", "etcd"] if columns >= 80 else ["member", "state", "cl/peers"]
    )

    def is_whole(table: list[str]) -> bool:
        return head == table[0].split() and all(part in "\n".join(table) for part in (*TABLE, step))

    table = seen.wait_for_table(is_whole)
    assert all(len(line) < columns for line in table), table
    return table


def test_it_stands_below_the_lines_and_follows_the_terminals_size(tmp_path: Path) -> None:
    hold(tmp_path, "accept-server1")
    with screen(tmp_path, started(tmp_path, "--yes"), variables(), columns=80) as seen:
        wide = wait_for_table(seen, 80, "accept/server1")
        assert "server1  proven  http     http   3.4.23  accept, restarts" in wide
        assert "quorum: 2 of 3 healthy, server1 restarts; can lose 0 more" in wide
        assert any(re.match(r"step 7 of 18: accept/server1, \d+ s so far; ", line) for line in wide)

        seen.resize(40, 24)
        hold(tmp_path, "bridge-server2")
        wait_for_table(seen, 40, "bridge/")

        seen.resize(200, 50)
        hold(tmp_path, "switch-server3")
        whole = wait_for_table(seen, 200, "switch/server3")
        assert any(re.search(r", about \d+(\.\d)? s expected; ", line) for line in whole), whole

        hold(tmp_path)
        assert 0 == seen.exit_code()
        last = seen.wait_for("done: ")
    members = ["server1  sealed  https    https  3.4.23", "server2  sealed  https    https  3.4.23  leader"]
    assert members == table_of(last)[1:3]
    assert 1 == sum(line.startswith("member ") for line in last), "a table of before is left"
    assert any(line.startswith("18 steps taken in ") for line in last)
    assert "done: server1 sealed, server2 sealed, server3 sealed" == last[-1]


@pytest.mark.parametrize("rows", [6, 12])
def test_a_low_terminal_has_what_fits(tmp_path: Path, rows: int) -> None:
    hold(tmp_path, "accept-server3")
    with screen(tmp_path, started(tmp_path, "--yes"), variables(), columns=80, rows=rows) as seen:
        lines = seen.wait_for("step 8 of 18")
        assert 1 == sum(line.startswith("member ") for line in lines)
        hold(tmp_path)
        assert 0 == seen.exit_code()


def test_the_first_ctrl_c_says_what_is_in_flight_above_the_table_and_finishes_it(tmp_path: Path) -> None:
    hold(tmp_path, "stage-")
    with screen(tmp_path, started(tmp_path, "--yes"), variables(), columns=200) as seen:
        wait_for_table(seen, 200, "stage/server2")
        seen.press("C-c")
        seen.wait_for("in flight, for ")
        assert progress(tmp_path).unsettled, "it is said while the step goes on"
        assert "in flight, for" not in "\n".join(table_of(seen.shown()))
        hold(tmp_path)
        assert 130 == seen.exit_code()
        shown = "\n".join(seen.shown())
    assert "error: stopped before prove/server1, as asked\n  Go on with: " in shown
    assert "run plan.yaml --resume" in shown
    assert not progress(tmp_path).unsettled


def test_the_second_ctrl_c_leaves_at_once_and_the_terminal_is_as_it_should_be(tmp_path: Path) -> None:
    hold(tmp_path, "stage-")
    with screen(tmp_path, started(tmp_path, "--yes"), variables(), columns=80) as seen:
        wait_for_table(seen, 80, "stage/server1")
        seen.press("C-c")
        seen.wait_for("in flight, for ")
        seen.press("C-c")
        assert 130 == seen.exit_code(), "it waits for no step"
        assert progress(tmp_path).unsettled
        seen.press("echo", "Space", "typed")
        seen.wait_for("echo typed")


def test_each_step_is_asked_for_and_the_table_leaves_the_question_in_peace(tmp_path: Path) -> None:
    question = "stage/server1: plaintext to staged. Take this step? [y/N]:"
    with screen(tmp_path, started(tmp_path, "--yes", "--step"), variables(), columns=80) as seen:
        seen.wait_for(question)
        time.sleep(1.2)  # longer than the table takes to be drawn anew
        assert question == seen.shown()[-1]
        seen.press("y", "Enter")
        lines = seen.wait_for("stage/server2: plaintext to staged. Take this step? [y/N]:")
        assert any("ok stage/server1 done in" in line for line in lines), lines
        seen.press("n", "Enter")
        assert 130 == seen.exit_code()
        seen.wait_for("error: stopped before stage/server2, as you said")
    assert ["staged"] == list(progress(tmp_path).states.values())


@pytest.mark.parametrize("more", [{"TERM": "dumb"}, {"TERM": ""}], ids=["dumb", "none"])
def test_a_terminal_that_cannot_be_drawn_on_has_lines(tmp_path: Path, more: Mapping[str, str]) -> None:
    changed = [f"{name}={value}" for name, value in more.items()]
    words = ["env", *changed, *started(tmp_path, "--yes", job_s=0.0)]
    with screen(tmp_path, words, variables(), columns=200, rows=60) as seen:
        assert 0 == seen.exit_code()
        lines = seen.wait_for("done: ")
    assert not any(line.startswith("member ") for line in lines)
    assert any(" step 18 of 18: seal/server3 (switched to sealed)" in line for line in lines)


def progress(folder: Path) -> Progress:
    return Progress.of(state_file.read(folder / "plan.yaml.state.jsonl")[0])
