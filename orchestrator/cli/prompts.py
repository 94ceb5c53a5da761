"""Ask the person at the terminal."""

import contextlib
import getpass
import sys
import termios
from types import FrameType

from orchestrator import output
from orchestrator.cli import streams
from orchestrator.cli.signals import STOPPING, handled
from orchestrator.errors import UsageError
from orchestrator.interrupt import InterruptedAtOnce
from orchestrator.text import escaped


def can_ask() -> bool:
    """Whether there is a person at the terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and not streams.is_out_lost()


def confirm(question: str) -> bool:
    """Ask the person at the terminal; UsageError if there is none. The end of input is a no."""
    if not can_ask():
        raise UsageError("cannot ask for confirmation without a terminal: pass --yes to continue")
    return _agreed(question, "nothing was changed")


def confirm_loss(question: str) -> bool:
    """Ask the same in the middle of a run."""
    return _agreed(question, "nothing more was changed; a run goes on with --resume")


def _agreed(question: str, left: str) -> bool:
    def leave(number: int, _frame: FrameType | None) -> None:
        output.err(f"\ninterrupted; {left}")
        raise InterruptedAtOnce(128 + number)

    with handled(leave, *STOPPING):
        _forget_typed()
        while True:
            output.out(f"{question} [y/N]: ", end="")
            try:
                answer = sys.stdin.readline()
            except OSError:  # the terminal is gone
                answer = ""
            output.answered()
            match answer.strip().lower():
                case "y" | "yes":
                    return True
                case "" | "n" | "no":
                    if not answer.endswith("\n"):
                        output.out()
                    return False
                case _:
                    output.err("please answer y or n")


def _forget_typed() -> None:
    """Drop what was typed before the question is shown: nobody agrees to what they have not read."""
    with contextlib.suppress(OSError, ValueError, termios.error):  # the terminal is gone
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def secret(question: str) -> str | None:
    """Ask the person at the terminal for what nobody else may see; None if there is none, or no answer."""
    if not can_ask():
        return None
    try:  # it asks only once nothing that is typed shows any more
        return getpass.getpass(f"{escaped(question)}: ") or None
    except (EOFError, OSError):
        return None
