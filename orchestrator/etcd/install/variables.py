"""The variables that systemd gives a unit's process, read as systemd reads them: systemd.exec(5), 252."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_BLANKS, _ENDS, _COMMENTS = " \t\n\r", "\n\r", "#;"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNESCAPED_IN_QUOTES = '"\\`$'
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
_OCTAL = re.compile(r"[0-7]{3}")


def of_file(text: str) -> Mapping[str, str]:
    """Return what a file for EnvironmentFile= sets; lines that systemd ignores set nothing.

    Source: systemd 252, basic/env-file.c, parse_env_file_internal.
    """
    return {name: value for name, value, _ in placed(text)}


def placed(text: str) -> Iterable[tuple[str, str, int]]:
    """Return each assignment of a file for EnvironmentFile=, and the number of the line where it begins."""
    for one in assigned(text):
        yield one.name, one.value, text.count("\n", 0, one.start) + 1


@dataclass(frozen=True, slots=True)
class Assigned:
    """An assignment of a file for EnvironmentFile=, and where it begins and ends there, in characters."""

    name: str
    value: str
    start: int
    end: int


def assigned(text: str) -> Iterable[Assigned]:
    """Return each assignment of a file for EnvironmentFile=, with where it stands."""
    return (one for one in _assignments(text) if _NAME.fullmatch(one.name))


def of_show(text: str) -> Mapping[str, str]:
    """Return the assignments of an array that ``systemctl show`` prints, such as Environment."""
    return {name: value for name, equals, value in (word.partition("=") for word in words(text)) if equals}


def words(text: str) -> list[str]:
    """Return the words of an array that ``systemctl show`` prints; ValueError for a quote left open."""
    found, place = [], 0
    while place < len(text):
        if text[place] in _BLANKS:
            place += 1
        elif text[place] == '"':
            word, place = _quoted(text, place + 1)
            found.append(word)
        else:
            end = next((at for at in range(place, len(text)) if text[at] in _BLANKS), len(text))
            found.append(text[place:end])
            place = end
    return found


def _quoted(text: str, place: int) -> tuple[str, int]:
    word = ""
    while place < len(text):
        char = text[place]
        if char == '"':
            return word, place + 1
        if char == "\\" and place + 1 < len(text):
            octal = _OCTAL.match(text, place + 1)
            following = text[place + 1]
            word += chr(int(octal[0], 8)) if octal else _ESCAPES.get(following, following)
            place += 4 if octal else 2
            continue
        word += char
        place += 1
    raise ValueError("systemctl printed a quote that is left open")


def _assignments(text: str) -> Iterable[Assigned]:
    place = 0
    while place < len(text):
        char = text[place]
        if char in _COMMENTS:
            place = _after_comment(text, place)
        elif char in _BLANKS:
            place += 1
        else:
            start = place
            end = next((at for at in range(place, len(text)) if text[at] in "=" + _ENDS), len(text))
            name = text[place:end].rstrip(_BLANKS)
            if text[end : end + 1] != "=":
                place = end + 1
                continue
            value, place = _value(text, end + 1)
            yield Assigned(name, value, start, min(place - 1, len(text)))


def _after_comment(text: str, place: int) -> int:
    """Skip a comment; a backslash takes the next character into it, a line break too (until systemd 254)."""
    while place < len(text) and text[place] not in _ENDS:
        place += 2 if text[place] == "\\" else 1
    return place + 1


def _value(text: str, place: int) -> tuple[str, int]:
    """Read a value from behind its '=' to the end of the line; return it, and where the next line begins."""
    value, kept, is_begun = "", 0, False  # what is kept is no trailing blank
    while place < len(text) and text[place] not in _ENDS:
        char = text[place]
        if not is_begun and char in "'\"":
            part, place = _in_quotes(text, place + 1, char)
            value += part
            kept = len(value)
            continue
        if char == "\\":
            is_begun = True
            following = text[place + 1 : place + 2]
            value += "" if following in _ENDS else following
            kept = len(value)
            place += 2
            continue
        place += 1
        if char in _BLANKS and not is_begun:
            continue
        is_begun = True
        value += char
        kept = kept if char in _BLANKS else len(value)
    return value[:kept], place + 1


def _in_quotes(text: str, place: int, quote: str) -> tuple[str, int]:
    """Read a quoted part; behind its end another one may follow, as before the value."""
    part = ""
    while place < len(text) and text[place] != quote:
        char = text[place]
        place += 1
        if char == "\\" and quote == '"':
            following = text[place : place + 1]
            place += 1
            if following in _UNESCAPED_IN_QUOTES:
                part += following
            elif following != "\n":
                part += char + following
            continue
        part += char
    return part, place + 1
