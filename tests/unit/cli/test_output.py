"""Everything told passes through one module, which lets nothing through that steers a terminal."""

import ast
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES
from support.terminals import terminal

import orchestrator
from orchestrator import output
from orchestrator.engine.events import StepFailed, Waiting
from orchestrator.host import lock
from orchestrator.output import Styled
from orchestrator.report import event_lines
from orchestrator.report.live import Live

PACKAGE = Path(orchestrator.__file__).parent
MAY = {"streams.py", "output.py"}  # the two that everything passes through
NASTY = "\x1b]0;title\x07\x1b[31m\x9b2J\u202egnp.exe\u2028\x7f\x00\ud800"
SHOWN = r"\x1b]0;title\x07\x1b[31m\x9b2J\u202egnp.exe\u2028\x7f\x00\ud800"
REST = r"\ud800"


def printing(tree: ast.AST) -> Iterator[str]:
    """What prints by itself: print, typer's echo and questions, Python's streams, their descriptors."""
    may = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "isatty"
    }
    for node in ast.walk(tree):
        reported = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute | ast.Call) else ""
        if reported in {"print", "input"} or reported.startswith(("os.write(1,", "os.write(2,")):
            yield reported
        if reported in {f"typer.{name}" for name in ("echo", "secho", "confirm", "prompt", "style")}:
            yield reported
        if (
            reported in {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"}
            and id(node) not in may
        ):
            yield reported


def test_nobody_else_prints() -> None:
    found = {
        f"{path.relative_to(PACKAGE)}: {what}"
        for path in PACKAGE.rglob("*.py")
        if path.name not in MAY
        for what in printing(ast.parse(path.read_text()))
    }
    assert set() == found


@pytest.mark.parametrize(
    "line",
    [
        "print('x')",
        "typer.echo('x')",
        "typer.confirm('x')",
        "sys.stdout.write('x')",
        "sys.stderr.buffer.write(b'x')",
        "os.write(2, b'x')",
        "logging.StreamHandler(sys.stderr)",
        "def tell(stream=sys.stderr): pass",
        "click = input",
    ],
)
def test_whoever_printed_by_itself_would_be_found(line: str) -> None:
    assert list(printing(ast.parse(line)))


@given(st.text())
@settings(max_examples=EXAMPLES, deadline=None)
def test_whatever_the_text_a_terminal_gets_printable_characters_and_lines(text: str) -> None:
    stream = io.StringIO()
    output._print(stream, (text, Styled(text, "red")), "\n")
    reported = stream.getvalue()
    assert all(char.isprintable() or char == "\n" for char in reported)
    assert 2 * text.count("\n") + 1 == reported.count("\n")


def test_what_is_nasty_is_shown_and_only_our_colors_are_sent(tmp_path: Path) -> None:
    probe = (
        "from orchestrator import output; from orchestrator.cli import streams; streams.install()\n"
        f"output.out('a ', output.Styled({NASTY!r}, 'red'), ' b'); output.err({NASTY!r})\n"
        f"import sys; sys.stdout.write({NASTY!r} + '\\n'); streams.finish()"
    )
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with terminal([sys.executable, "-c", probe], tmp_path, environment) as seat:
        lines = seat.read().splitlines()
    bare = SHOWN.replace(r"\x1b[31m", "\x1b[31m")  # typer's own way: colours alone pass
    assert [f"a \x1b[31m{SHOWN}\x1b[0m b", SHOWN, bare] == lines


def test_a_terminal_is_emptied_for_what_is_shown_anew(tmp_path: Path) -> None:
    probe = (
        "from orchestrator import output; from orchestrator.cli import streams; streams.install()\n"
        "output.out('before'); output.clear(); output.out('anew'); streams.finish()"
    )
    with terminal([sys.executable, "-c", probe], tmp_path, os.environ) as seat:
        assert "before\n\x1b[H\x1b[2Janew\n" == seat.read()
    piped = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False, text=True)
    assert "before\nanew\n" == piped.stdout


def test_a_reader_that_has_gone_is_noticed_without_writing_to_it(tmp_path: Path) -> None:
    """``status --watch`` would otherwise look for ever, where each look is refused before its first line."""
    probe = (
        "import os, sys; from orchestrator.cli import streams; streams.install(); sys.stdin.read()\n"
        "os._exit(streams.is_out_lost())"
    )
    for is_closed in (False, True):
        process = subprocess.Popen(
            [sys.executable, "-c", probe], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        if is_closed:
            process.stdout.close()
        process.stdin.close()
        assert is_closed == process.wait(30)
        process.stdout.close()
    with (tmp_path / "file").open("wb") as file:
        process = subprocess.Popen([sys.executable, "-c", probe], stdin=subprocess.DEVNULL, stdout=file)
        assert 0 == process.wait(30)


def test_a_terminal_that_has_gone_is_noticed_without_writing_to_it() -> None:
    probe = (
        "import os, signal, sys; from orchestrator.cli import streams\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); streams.install(); sys.stdin.read()\n"
        "os._exit(streams.is_out_lost())"
    )
    for is_closed in (False, True):
        ours, theirs = os.openpty()
        process = subprocess.Popen([sys.executable, "-c", probe], stdin=subprocess.PIPE, stdout=theirs)
        os.close(theirs)
        assert process.stdin
        if is_closed:
            os.close(ours)
        process.stdin.close()
        assert is_closed == process.wait(30)
        if not is_closed:
            os.close(ours)


def test_a_question_before_the_first_table_is_left_in_peace(tmp_path: Path) -> None:
    probe = (
        "from orchestrator import output; from orchestrator.cli import streams; streams.install()\n"
        "output.answered(); output.out('Sure? ', end=''); output.draw(('table',)); streams.finish()\n"
        "output.out('|', end=''); output.out(); output.answered(); streams.finish()"
    )
    with terminal([sys.executable, "-c", probe], tmp_path, os.environ) as seat:
        assert "Sure? |\ntable\n" == seat.read()


def test_a_traceback_of_ours_is_shown_escaped_with_exit_code_1() -> None:
    probe = (
        "from orchestrator.cli.main import main; from orchestrator.report import tables\n"
        f"def broken(_): raise OSError(32, {NASTY!r})\n"
        "tables.named = broken; import sys; sys.argv = ['orchestrator', 'table']; main()"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False, timeout=60)
    reported = done.stderr.decode()
    assert 1 == done.returncode
    assert "Traceback" in reported
    assert f"BrokenPipeError: [Errno 32] {SHOWN}" in reported
    assert all(char.isprintable() or char == "\n" for char in reported)


def test_words_of_the_command_line_are_reported_on_one_line() -> None:
    for arguments in (["frob\nerror: all is lost\x1b[2J"], ["table", "frob\nerror: all is lost\x1b[2J"]):
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert 64 == done.returncode
        assert 1 == done.stderr.count("\n")
        assert r"frob\nerror: all is lost\x1b[2J" in done.stderr


def test_an_event_is_one_line_whatever_a_host_said(capsys: pytest.CaptureFixture[str]) -> None:
    with Live(lambda: None).showing() as take:
        take(Waiting(reasons=(f"server1: {NASTY[:-1]}\nrun_ended outcome=finished",)))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable()
    assert f" waiting for: server1: {SHOWN.removesuffix(REST)}\\nrun_ended" in line


def test_a_line_of_json_is_in_ascii_and_holds_what_a_host_said() -> None:
    lines: list[str] = []
    take = event_lines.printer(lines.append, "x", lambda: None)
    take(StepFailed(step="accept/server1", host="server1", reason=NASTY[:-1]))
    (line,) = lines
    assert line.isprintable()
    assert line.isascii()
    assert NASTY[:-1] == json.loads(line)["event"]["reason"]


def test_a_locks_holder_is_one_line_whatever_its_file_says() -> None:
    text = f"ab12 1\nbastion b\nstate /s\nwho {NASTY[:-1]}\nsince {'x' * 5000}\ndoing run"
    holder = lock.read(text)
    assert holder is not None
    assert SHOWN.removesuffix(r"\ud800") == holder.who
    assert len(holder.since) <= 1002
    assert str(holder).isprintable()
    odd = lock.read("\x1b[2J 1\nwho w")
    assert str(odd).isprintable()


@given(st.text())
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_lock_file_is_reported_on_one_line(text: str) -> None:
    holder = lock.read(text)
    assert holder is None or str(holder).isprintable()
