"""How this very program is called, so that each command that is printed runs as it is printed."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

NAME = "orchestrator"
_ONE_FILE = ".pyz"  # with all that the program needs: make zipapp
_CALL = re.compile(rf"\b{NAME} (?P<verb>[a-z]+) PLAN\b")


def program() -> tuple[str, ...]:
    """Return the words that start this program again, from the same folder.

    Its bare name if PATH leads to the script that was started, else that script; the very interpreter if it
    was started with ``python -m``.
    """
    script = Path(sys.argv[0])
    is_ours = script.name == NAME or script.suffix == _ONE_FILE
    if not is_ours or not os.access(script, os.X_OK):
        return (sys.executable, "-m", NAME)
    found = shutil.which(script.name)
    if found and Path(found).samefile(script):
        return (script.name,)
    return (str(script.absolute()),)


def command(*words: str | Path) -> str:
    """Return a command of this program, quoted for a shell."""
    return join((*program(), *map(str, words)))


def spelled(text: str, called: Callable[[str], str]) -> str:
    """Return a text with its ``orchestrator VERB PLAN`` as commands that run, which ``called`` makes."""
    return _CALL.sub(lambda call: called(call["verb"]), text)


def of_plan(plan: Path) -> Callable[[str], str]:
    """Return what makes a command of a verb, for one plan."""
    return lambda verb: command(verb, argument(plan))


def argument(path: Path) -> str:
    """Return a path that is not taken for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


def join(words: Sequence[str]) -> str:
    """Join words to a command for a shell."""
    return " ".join(map(quoted, words))


def quoted(word: str) -> str:
    r"""Quote a word for a shell, on one line; what cannot be printed as ``$'\xNN'`` (bash, ksh, zsh)."""
    if word.isprintable():
        return shlex.quote(word)
    shown = (_escaped(char) if not char.isprintable() or char in "\\'" else char for char in word)
    return "$'" + "".join(shown) + "'"


def _escaped(char: str) -> str:
    return f"\\{char}" if char in "\\'" else "".join(f"\\x{byte:02x}" for byte in os.fsencode(char))
