"""A review's text for the page: cut into its rounds, each line with what it is."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_ROUND = re.compile(r"Round (?P<name>[a-z][a-z0-9-]*): ")
# A line of a review, and what it is: of a file, changed, taken away or added; a job's heading; a warning.
_KINDS = (
    ("removed", re.compile(r"\s*(\| )?- ")),
    ("added", re.compile(r"\s*(\| )?\+ ")),
    ("content", re.compile(r"\s*\| ")),
    ("heading", re.compile(r"\s*\d+\. ")),
    ("warning", re.compile(r"(CUT OFF|MAY MOVE|REPAIR|RISK|ASSUMED): ")),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line, and what it is; empty for one that is nothing special."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A round of a review, or what stands before the first one, which has no title."""

    title: str
    lines: tuple[Line, ...]


def chapters(review: str) -> tuple[Chapter, ...]:
    """Cut a review into its rounds."""
    return tuple(
        Chapter(title, tuple(_trimmed(lines))) for title, lines in _cut(review.splitlines()) if title or lines
    )


def _cut(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    title, current = "", list[str]()
    for line in lines:
        if _ROUND.match(line):
            yield title, current
            title, current = line, []
        else:
            current.append(line)
    yield title, current


def _trimmed(lines: list[str]) -> Iterator[Line]:
    filled = [number for number, line in enumerate(lines) if line.strip()]
    for line in lines[filled[0] : filled[-1] + 1] if filled else ():
        kind = next((name for name, pattern in _KINDS if pattern.match(line)), "")
        yield Line(line, kind)
