"""Everything that people read goes through here: foreign text is escaped, and colours are only ours."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TextIO, runtime_checkable

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


@runtime_checkable
class _Drawing(Protocol):
    """A stream that can draw at a terminal's lower end."""

    def draw(self, lines: Sequence[str]) -> None:
        """Show lines there."""

    def answered(self) -> None:
        """Draw again below a question."""

    def clear(self) -> None:
        """Empty the terminal."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal on which can be drawn: how large it is now, and whether colours are wanted."""

    columns: int
    rows: int
    is_painted: bool


def out(*parts: Part, end: str = "\n") -> None:
    """Print the parts, one behind the other, on standard output."""
    _print(sys.stdout, parts, end)


def err(*parts: Part, end: str = "\n") -> None:
    """Print the parts, one behind the other, on standard error."""
    _print(sys.stderr, parts, end)


def draw(lines: Sequence[str]) -> None:
    """Show lines at the lower end of the terminal that standard error is, in the place of those before.

    Other text stands above them. It never waits, and while a question is not answered nothing is drawn.
    """
    if isinstance(sys.stderr, _Drawing):
        sys.stderr.draw(lines)


def answered() -> None:
    """Let lines be drawn again: the question that was asked last is answered."""
    if isinstance(sys.stderr, _Drawing):
        sys.stderr.answered()


def terminal() -> Terminal | None:
    """Return the terminal that standard error is; None if nothing can be drawn there."""
    try:
        if not sys.stderr.isatty() or _is_dumb():
            return None
        size = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):  # it is gone
        return None
    return Terminal(size.columns or 80, size.lines or 24, _is_painted(sys.stderr))


def _is_dumb() -> bool:
    return os.environ.get("TERM") in {None, "", "dumb"}


def _is_painted(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and not _is_dumb()


def clear() -> None:
    """Empty a terminal that standard output is, for what is printed next."""
    if isinstance(sys.stdout, _Drawing) and sys.stdout.isatty():
        sys.stdout.clear()


def plain(parts: tuple[Part, ...]) -> str:
    """Return a text without its styles, for a message."""
    return "".join(map(str, parts))


def _print(stream: TextIO, parts: tuple[Part, ...], end: str) -> None:
    is_colored = _is_painted(stream)
    stream.write("".join(_shown(part, is_painted=is_colored) for part in parts) + end)
    stream.flush()


def _shown(part: Part, *, is_painted: bool) -> str:
    text = escaped(str(part))
    return f"\x1b[{_CODES[part.style]}m{text}\x1b[0m" if is_painted and isinstance(part, Styled) else text
