"""From the call to the exit code: standard streams, signals, and what is said of each kind of error."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from orchestrator import bastion, commandline, output
from orchestrator.cli import streams
from orchestrator.cli.groups import Raised
from orchestrator.cli.program import app
from orchestrator.errors import OrchestratorError, RunInterruptedError, UsageError, checks_behind
from orchestrator.interrupt import InterruptedAtOnce, answer_promptly
from orchestrator.text import escaped

_EXPLAINED = {4, 6, 7, 9}  # what somebody meets at night; the others say it all themselves
_MOST_CHECKS = 3  # one that does not hold brings others along, and the first say most
_AT_ONCE_S = 1.0  # so long the last words of a program that is left at once wait for their reader


def main() -> NoReturn:
    """Run the program; every error that an operator can act on becomes its exit code."""
    bastion.take_secrets()
    streams.install()
    answer_promptly()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup wants no hang-up to be heard
            signal.signal(number, _leave)
    try:
        code = _called()
    except InterruptedAtOnce as interrupted:  # threads that still wait for a host are left behind
        streams.hurry(_AT_ONCE_S)
        streams.finish()
        os._exit(interrupted.exit_code)
    try:
        streams.finish()
    except InterruptedAtOnce:
        os._exit(code)  # nobody wants to read the rest
    sys.exit(code)


def _misspelt(error: TyperException) -> str:
    """Say what is wrong with the words of the command line, and which help describes them."""
    context = getattr(error, "ctx", None)
    verbs = context.command_path.split()[1:] if context else ()
    wrong = escaped(error.format_message(), keep="").removesuffix(".")
    return f"error: {wrong}. See: {commandline.command(*verbs, '--help')}"


def _explicable(checks: Sequence[str]) -> Sequence[str]:
    """Return the first checks that are explained by their names; not so those of one step alone."""
    if not checks:
        return ()
    from orchestrator.report.explaining import explicable  # noqa: PLC0415 -- only who meets it pays for it

    return explicable(checks)[:_MOST_CHECKS]


def _called() -> int:
    try:
        code = app(prog_name=commandline.NAME, standalone_mode=False)
    except OrchestratorError as error:
        is_echo = isinstance(error, UsageError)  # of words of the command line, which may hold anything
        output.err(f"error: {escaped(str(error), keep='') if is_echo else error}")
        if error.exit_code in _EXPLAINED:
            for word in (str(error.exit_code), *_explicable(checks_behind(error))):
                output.err(f"more: {commandline.command('explain', *word.split())}")
        return error.exit_code
    except TyperException as error:
        output.err(_misspelt(error))
        return UsageError.exit_code
    except typer.Abort:
        return RunInterruptedError.exit_code
    except (Exception, Raised) as bug:  # noqa: BLE001 -- the traceback is shown, as Python would
        output.err(
            "".join(traceback.format_exception(bug.__cause__ if isinstance(bug, Raised) else bug)), end=""
        )
        return OrchestratorError.exit_code
    return code if isinstance(code, int) else 0


def _leave(number: int, _frame: FrameType | None) -> None:
    output.err("interrupted")
    raise InterruptedAtOnce(128 + number)
