"""The table of where each second went: a row for each part of a process, drawn as a waterfall."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from orchestrator.report.html import seconds, svg
from orchestrator.report.html.seconds import Part, Spent
from orchestrator.report.html.story import Process, Story
from orchestrator.report.html.wording import duration

WIDTH, HEIGHT = 300.0, 14.0
ORDER: tuple[Spent, ...] = ("job", "step", "wait", "look")


@dataclass(frozen=True, slots=True)
class Row:
    """A part of a process with its bar: as far to the right as it began late, as long as it took."""

    part: Part
    share: float
    bar: Markup

    def spent(self, kind: Spent) -> str:
        """Say how long it took of that kind; nothing if it took no time."""
        took_s = self.part.spent.get(kind, 0.0)
        return duration(took_s) if took_s >= 0.005 else ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One process: its rows, their sums, and how long nobody had worked on it before."""

    process: Process
    rows: tuple[Row, ...]
    sums: dict[Spent, float]
    total_s: float
    paused_s: float

    @property
    def is_divided(self) -> bool:
        """Whether jobs were noted, so that a step's time is divided."""
        return not self.sums.get("step")


def ledgers(story: Story) -> tuple[Ledger, ...]:
    """Return a table for each process."""
    paused = (0.0, *pauses(story))
    return tuple(
        _ledger(process, number, paused_s)
        for number, (process, paused_s) in enumerate(zip(story.processes, paused, strict=False))
    )


def pauses(story: Story) -> Iterator[float]:
    """Seconds in which nobody worked on it, between two processes each."""
    for before, after in pairwise(story.processes):
        yield max((after.began - before.ended).total_seconds(), 0.0)


def _ledger(process: Process, number: int, paused_s: float) -> Ledger:
    parts = seconds.parts(process)
    total_s = sum(part.took_s for part in parts)
    rows = tuple(
        Row(part, part.took_s / total_s if total_s else 0.0, _bar(part, total_s, f"part-{number}-{n}"))
        for n, part in enumerate(parts)
    )
    sums = {kind: sum(part.spent.get(kind, 0.0) for part in parts) for kind in ORDER}
    return Ledger(process, rows, sums, total_s, paused_s)


def _bar(part: Part, total_s: float, name: str) -> Markup:
    said = ", ".join(f"{kind} {duration(took_s)}" for kind, took_s in part.spent.items())
    drawing = svg.drawing(name, (WIDTH, HEIGHT), f"{part.name}: {duration(part.took_s)}", said)
    drawing.set("class", "part")
    scale = WIDTH / total_s if total_s else 0.0
    x = part.offset_s * scale
    for kind in ORDER:
        width = part.spent.get(kind, 0.0) * scale
        if width:
            svg.box(drawing, f"span {kind}", (x, 1, max(width, 0.6), HEIGHT - 2))
            x += width
    return svg.markup(drawing)
