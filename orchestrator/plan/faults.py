"""A fault in a plan: the place, the field, what is wrong there and how to fix it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

from orchestrator.text import escaped, shown

Loc: TypeAlias = tuple[str | int, ...]  # as pydantic says it: ("members", 1, "address")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in the plan file, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong at one place. ``where`` is the dotted field, ``what`` says it with the fix."""

    place: Place
    where: str
    what: str

    def text(self, file: Path) -> str:
        """Return the line an operator reads, ``FILE:LINE:COLUMN: where: what, and the fix``."""
        return (
            f"{escaped(str(file), keep='')}:{self.place.line}:{self.place.column}: {self.where}: {self.what}"
        )


def where(loc: Loc) -> str:
    """Return a field's dotted name, such as ``members.1.address``."""
    return ".".join(shown(str(part), quote="") for part in loc) or "plan"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that another most looks like, if any does."""
    near = get_close_matches(word.lower(), sorted(known), n=1)
    return near[0] if near else None


def meant(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the nearest known word, else the known ones."""
    words = sorted(known)
    near = nearest(word, words)
    return f"did you mean '{near}'?" if near else f"known here: {', '.join(words)}"
