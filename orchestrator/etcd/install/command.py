"""A command as a unit has it in ExecStart=: its words, and what systemd makes of them. Pure.

Quoting and variables: systemd.service(5), "COMMAND LINES"; systemd 252, basic/extract-word.c.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PREFIXES = "-:+!@"  # of the program's path; '@' gives the program another name, ':' expands no variables
_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./\[\]-]+")
_BRACED = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BARE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command: what it says without quotes, and where it stands."""

    text: str
    start: int
    end: int


def words(command: str) -> tuple[Word, ...]:
    """Split a command as systemd does; ValueError for a quote that is left open."""
    found, place = [], 0
    while place < len(command):
        if command[place].isspace() or command.startswith("\\\n", place):
            place += 1
            continue
        text, end = _word(command, place)
        found.append(Word(text, place, end))
        place = end
    return tuple(found)


def _word(command: str, place: int) -> tuple[str, int]:
    text, quote = "", ""
    while place < len(command):
        char = command[place]
        if char == "\\" and place + 1 < len(command):
            following = command[place + 1]
            if following == "\n" and not quote:
                return text, place
            place += 2
            if following == "\n":  # systemd joins the lines first, without the blanks before the second
                text, place = f"{text} ", _after_blanks(command, place)
            else:
                text += following if following in "\\\"'" else char + following
            continue
        if char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        elif not quote and char.isspace():
            return text, place
        else:
            text += char
        place += 1
    if quote:
        raise ValueError("the unit's ExecStart= has a quote that is left open")
    return text, place


def _after_blanks(command: str, place: int) -> int:
    return next((at for at in range(place, len(command)) if not command[at].isspace()), len(command))


def escaped(text: str, quote: str = '"') -> str:
    """Write a text so that it means itself between quotes, where systemd would expand it."""
    plain = text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return plain.replace("%", "%%").replace("$", "$$")


def quoted(text: str) -> str:
    """Write a word so that systemd reads that very word."""
    return text if _PLAIN.fullmatch(text) else f'"{escaped(text)}"'


def expanded(command: str, variables: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return what systemd starts with these variables set; None where that depends on more than them."""
    found: list[str] = []
    for word in words(command):
        text = word.text.replace("%%", "\0")
        if "%" in text:
            return None  # a specifier
        text = text.replace("\0", "%")
        bare = _BARE.fullmatch(text)
        if bare:
            found += variables.get(bare[1], "").split()
            continue
        found.append(_BRACED.sub(lambda match: variables.get(match[1], "") if match[1] else "$", text))
    return (found[0].lstrip(PREFIXES), *found[1:]) if found else None


def changed(whole: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Return a command, or a file, with other text in these places, and everything else as it stands."""
    for start, end, text in sorted(spans, reverse=True):
        whole = whole[:start] + text + whole[end:]
    return whole
