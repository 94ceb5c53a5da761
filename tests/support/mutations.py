"""Small changes to a state file's lines, one at a time: what a slip of an editor or a disk can make of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Line = Mapping[str, Any]
Change = tuple[str, tuple[Line, ...]]

_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3, 7, 10**9, 10**30, 0.5, "", " ", "a", "server2", "server9", "nobody"),
    *("plaintext", "staged", "sealed", "accepting", "stagad", "forward", "back", "finished", "stopped"),
    *(
        "stage/server1",
        "accept/server2",
        "undo-seal/server3",
        "seal/server9",
        "stage",
        "/",
        "stage/",
        "../../x",
    ),
    *(
        "/etc/passwd",
        "server1\nserver2",
        "\x1b[31m",
        "\ud800",
        "x" * 5000,
        "0" * 64,
        "ab12cd35",
        [],
        ["server1"],
    ),
    *({}, {"server1": "x"}, "2026-01-01T00:00:00", "2026-01-01T00:00:00Z", "step_started", "run_ended"),
)


def mutations(lines: Sequence[Line]) -> Iterator[Change]:
    """Change everything in every line to every odd value; drop, repeat and swap every line."""
    for number, line in enumerate(lines):
        for name, value in line.items():
            for changed in _changes(value):
                one = {**line, name: changed}
                yield f"{number + 1}: {name}={changed!r}", (*lines[:number], one, *lines[number + 1 :])
            without = {other: value for other, value in line.items() if other != name}
            yield f"{number + 1}: no {name}", (*lines[:number], without, *lines[number + 1 :])
        yield f"{number + 1}: more", (*lines[:number], {**line, "more": 1}, *lines[number + 1 :])
        yield f"{number + 1}: dropped", (*lines[:number], *lines[number + 1 :])
        yield f"{number + 1}: repeated", (*lines[: number + 1], *lines[number:])
        for other in range(number + 1, len(lines)):
            swapped = list(lines)
            swapped[number], swapped[other] = swapped[other], swapped[number]
            yield f"{number + 1}: swapped with {other + 1}", tuple(swapped)
        for other in range(len(lines)):
            if other != number:
                moved = [*lines[:number], *lines[number + 1 :]]
                moved.insert(other, line)
                yield f"{number + 1}: moved to {other + 1}", tuple(moved)


def _changes(value: object) -> Iterator[object]:
    """Return a value with one thing in it changed, or the whole of it."""
    yield from (odd for odd in _ODD if odd != value or type(odd) is not type(value))
    if isinstance(value, dict):
        for name, part in value.items():
            others = {other: kept for other, kept in value.items() if other != name}
            yield others
            yield {**others, "\x1b[31m": part}
            yield from ({**value, name: changed} for changed in _changes(part))
    if isinstance(value, list):
        yield value + value
        for number, part in enumerate(value):
            yield from ([*value[:number], changed, *value[number + 1 :]] for changed in _changes(part))


def plain(line: Line) -> bytes:
    """Return a line in JSON, without a chain."""
    return json.dumps(line, separators=(",", ":")).encode()
