"""Everything that people read goes through here: foreign text is escaped, and colours are only ours."""

import os
import sys
from dataclasses import dataclass
from typing import Literal, TextIO

from orchestrator.text import escaped

Style = Literal["red", "green", "yellow", "cyan", "magenta", "bright", "dim"]
_CODES = {"red": 31, "green": 32, "yellow": 33, "cyan": 36, "magenta": 35, "bright": 1, "dim": 2}


@dataclass(frozen=True, slots=True)
class Styled:
    """A piece of a text that is painted where it is shown to a person at a terminal."""

    text: str
    style: Style

    def __str__(self) -> str:
        return self.text


Part = str | Styled


def out(*parts: Part, end: str = "\n") -> None:
    """Print the parts, one behind the other, on standard output."""
    _print(sys.stdout, parts, end)


def err(*parts: Part, end: str = "\n") -> None:
    """Print the parts, one behind the other, on standard error."""
    _print(sys.stderr, parts, end)


def clear() -> None:
    """Empty a terminal that standard output is, for what is printed next."""
    if sys.stdout.isatty():
        sys.stdout.write("\x1b[H\x1b[2J")


def plain(parts: tuple[Part, ...]) -> str:
    """Return a text without its styles, for a message."""
    return "".join(map(str, parts))


def _print(stream: TextIO, parts: tuple[Part, ...], end: str) -> None:
    is_painted = stream.isatty() and not os.environ.get("NO_COLOR")
    stream.write("".join(_shown(part, is_painted=is_painted) for part in parts) + end)
    stream.flush()


def _shown(part: Part, *, is_painted: bool) -> str:
    text = escaped(str(part))
    return f"\x1b[{_CODES[part.style]}m{text}\x1b[0m" if is_painted and isinstance(part, Styled) else text
