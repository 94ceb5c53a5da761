"""No output, no terminal and no reader can stop a run: the program itself, over fake hosts."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.fake_program import NOTHING_MORE, command, environment
from support.terminals import full_pipe, terminal

from orchestrator.engine import state_file

DRAWN = {"TERM": "xterm"}  # there is a live table
DONE = "done: server1 sealed, server2 sealed, server3 sealed"


def ended(folder: Path) -> list[str]:
    """How the run came to its end, by the state file."""
    events, _ = state_file.read(folder / "plan.yaml.state.jsonl")
    return [getattr(event, "outcome", event.event) for event in events][-1:]


def shell(folder: Path, redirections: str, more: Mapping[str, str] = NOTHING_MORE) -> tuple[int, str]:
    """Run the migration in bash with some redirections; return its own exit code, and what came out."""
    words = subprocess.list2cmdline(command(folder, "run", "plan.yaml", "--yes"))
    script = f"{{ {words}; echo $? >exit; }} {redirections}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment(more),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return int((folder / "exit").read_text()), done.stdout


@pytest.mark.parametrize(
    "redirections",
    [
        ">/dev/full",
        "2>/dev/full",
        ">/dev/full 2>&1",
        ">&-",
        "2>&-",
        "<&- >&- 2>&-",
        "2>&1 | true",
        "2>&1 | head -n 1",
        "2> >(head -n 1) | head -n 1",
    ],
)
def test_output_that_cannot_be_written_is_dropped_and_the_run_goes_on(
    tmp_path: Path, redirections: str
) -> None:
    code, _ = shell(tmp_path, redirections)
    assert (0, ["finished"]) == (code, ended(tmp_path))


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
)
def test_a_locale_that_cannot_write_our_words_stops_nothing(
    tmp_path: Path, locale: Mapping[str, str]
) -> None:
    code, reported = shell(tmp_path, "", locale)
    assert (0, ["finished"]) == (code, ended(tmp_path))
    assert DONE in reported


def test_a_reader_that_reads_nothing_stops_nothing(tmp_path: Path) -> None:
    with full_pipe() as writing:
        done = subprocess.run(
            command(tmp_path, "run", "plan.yaml", "--yes"),
            cwd=tmp_path,
            env=environment(),
            stdout=writing,
            stderr=writing,
            check=False,
            timeout=60,
        )
    assert (0, ["finished"]) == (done.returncode, ended(tmp_path))


def test_a_terminal_that_goes_away_stops_nothing(tmp_path: Path) -> None:
    with terminal(
        command(tmp_path, "run", "plan.yaml", "--yes", job_s=0.05), tmp_path, environment(DRAWN)
    ) as seat:
        seat.read(until="step 1 of 18")
        seat.hang_up()
        assert 0 == seat.end()
    assert ["finished"] == ended(tmp_path)


def test_a_terminal_that_is_stopped_with_ctrl_s_stops_nothing(tmp_path: Path) -> None:
    with terminal(
        command(tmp_path, "run", "plan.yaml", "--yes", job_s=0.05), tmp_path, environment(DRAWN)
    ) as seat:
        seat.read(until="step 1 of 18")
        seat.type("\x13")
        assert 0 == seat.end()
    assert ["finished"] == ended(tmp_path)


def test_a_slow_reader_gets_everything_in_order(tmp_path: Path) -> None:
    code, reported = shell(tmp_path, "2>&1 | { sleep 3; cat; }")
    assert (0, ["finished"]) == (code, ended(tmp_path))
    places = [reported.index(text) for text in ("Migration bridge", "step 1 of 18", "finished; ", DONE)]
    assert sorted(places) == places


def test_what_is_shown_anew_ends_once_nobody_reads_it(tmp_path: Path) -> None:
    words = subprocess.list2cmdline(command(tmp_path, "status", "plan.yaml", "--watch", "-o", "json"))
    subprocess.run(
        ["bash", "-c", f"{{ {words}; echo $? >exit; }} | head -n 1"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert "0\n" == (tmp_path / "exit").read_text()
