"""What a person answers at a terminal: yes, no, Ctrl-C, Ctrl-D, or nothing as nobody is there."""

import re
import subprocess
from pathlib import Path

import pytest
from support.fake_program import command, environment
from support.terminals import terminal

QUESTION = "Do this? [y/N]: "
SAID_NO = "error: nothing was changed: you said no"
LEFT = "interrupted; nothing was changed"


def answered(folder: Path, typed: str) -> tuple[int, str]:
    """Type an answer at the question; return the exit code, and what was said behind it."""
    with terminal(command(folder, "run", "plan.yaml"), folder, environment()) as seat:
        seat.read(until=QUESTION)
        seat.type(typed)
        reported = seat.read()
        return seat.end(), reported.partition(QUESTION)[2]


def left_nothing(folder: Path) -> bool:
    return not list(folder.glob("plan.yaml.state*"))


@pytest.mark.parametrize(
    ("typed", "code", "reported"),
    [
        ("n\n", 5, SAID_NO),
        ("\n", 5, SAID_NO),
        ("No\n", 5, SAID_NO),
        ("\x04", 5, SAID_NO),  # Ctrl-D
        ("what\nn\n", 5, "please answer y or n"),
        ("\x03", 130, LEFT),  # Ctrl-C
    ],
)
def test_whatever_is_not_a_yes_changes_nothing_and_a_later_run_goes_through(
    tmp_path: Path, typed: str, code: int, reported: str
) -> None:
    ended, said = answered(tmp_path, typed)
    assert code == ended, said
    assert reported in said
    assert "Traceback" not in said
    assert left_nothing(tmp_path)
    assert 0 == answered(tmp_path, "y\n")[0]


def test_what_was_typed_before_the_question_does_not_answer_it(tmp_path: Path) -> None:
    with terminal(command(tmp_path, "run", "plan.yaml"), tmp_path, environment()) as seat:
        seat.type("y\n")
        seat.read(until=QUESTION)
        seat.type("n\n")
        assert SAID_NO in seat.read()
        assert 5 == seat.end()
    assert left_nothing(tmp_path)


def test_the_question_says_how_far_the_run_goes(tmp_path: Path) -> None:
    words = command(tmp_path, "run", "plan.yaml", "--until", "bridged")
    with terminal(words, tmp_path, environment()) as seat:
        seat.read(until="Do this, and pause in 'bridged'? [y/N]: ")
        seat.type("n\n")
        assert SAID_NO in seat.read()


def test_sigterm_at_the_question_is_a_no_with_its_own_exit_code(tmp_path: Path) -> None:
    with terminal(command(tmp_path, "run", "plan.yaml"), tmp_path, environment()) as seat:
        seat.read(until=QUESTION)
        seat.process.terminate()
        assert LEFT in seat.read()
        assert 143 == seat.end()
    assert left_nothing(tmp_path)


def test_a_terminal_that_goes_away_at_the_question_is_a_no(tmp_path: Path) -> None:
    with terminal(command(tmp_path, "run", "plan.yaml"), tmp_path, environment()) as seat:
        seat.read(until=QUESTION)
        seat.hang_up()
        assert 5 == seat.end()
    assert left_nothing(tmp_path)


@pytest.mark.parametrize("stdin", ["</dev/null", "<&-"])
def test_where_nobody_can_be_asked_the_run_is_refused(tmp_path: Path, stdin: str) -> None:
    words = subprocess.list2cmdline(command(tmp_path, "run", "plan.yaml"))
    done = subprocess.run(
        ["bash", "-c", f"{words} {stdin}"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (64, "cannot ask for confirmation") == (done.returncode, done.stderr.strip()[7:34]), done.stderr
    assert left_nothing(tmp_path)


def test_where_the_question_cannot_be_shown_nobody_is_asked(tmp_path: Path) -> None:
    words = subprocess.list2cmdline(command(tmp_path, "run", "plan.yaml"))
    with terminal(["bash", "-c", f"{words} >/dev/full"], tmp_path, environment()) as seat:
        assert "cannot ask for confirmation" in seat.read()
        assert 64 == seat.end()
    assert left_nothing(tmp_path)


def test_a_person_sees_colors_and_a_pipe_and_no_color_do_not(tmp_path: Path) -> None:
    def reported(name: str, **more: str) -> str:
        (tmp_path / name).mkdir()
        (tmp_path / "plan.yaml.state.jsonl").unlink(missing_ok=True)
        words = command(tmp_path / name, "run", "plan.yaml", "--yes")
        with terminal(words, tmp_path, environment({"TERM": "xterm", **more})) as seat:
            return seat.read()

    colors = re.compile(r"\x1b\[[0-9;]*m")
    assert "\x1b[32mok\x1b[0m seal/server3 done in " in reported("usual")
    assert not colors.search(reported("plain", NO_COLOR="1"))
    assert "\x1b" not in reported("dumb", TERM="dumb")
