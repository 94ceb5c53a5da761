"""Ask the person at the terminal."""

import getpass
import sys
from types import FrameType

from orchestrator import output
from orchestrator.cli import streams
from orchestrator.cli.signals import STOPPING, handled
from orchestrator.errors import UsageError
from orchestrator.interrupt import InterruptedAtOnce
from orchestrator.text import escaped


def confirm(question: str) -> bool:
    """Ask the person at the terminal; UsageError if there is none. The end of input is a no."""
    if sys.stdin is None or not sys.stdin.isatty() or streams.is_out_lost():
        raise UsageError("cannot ask for confirmation without a terminal: pass --yes to continue")

    def leave(number: int, _frame: FrameType | None) -> None:
        output.err("\ninterrupted; nothing was changed")
        raise InterruptedAtOnce(128 + number)

    with handled(leave, *STOPPING):
        while True:
            output.out(f"{question} [y/N]: ", end="")
            try:
                answer = sys.stdin.readline()
            except OSError:  # the terminal is gone
                answer = ""
            match answer.strip().lower():
                case "y" | "yes":
                    return True
                case "" | "n" | "no":
                    if not answer.endswith("\n"):
                        output.out()
                    return False
                case _:
                    output.err("please answer y or n")


def secret(question: str) -> str | None:
    """Ask the person at the terminal for what nobody else may see; None if there is none, or no answer."""
    if sys.stdin is None or not sys.stdin.isatty() or streams.is_out_lost():
        return None
    try:  # it asks only once nothing that is typed shows any more
        return getpass.getpass(f"{escaped(question)}: ") or None
    except (EOFError, OSError):
        return None
