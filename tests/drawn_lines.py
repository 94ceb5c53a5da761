"""Lines against the number of hosts, as drawings for docs/benchmarks.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from xml.etree.ElementTree import Element

from documented_race import as_file

from orchestrator.report.html import svg

MOST_MB = 200.0
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 840.0, 320.0, 60.0, 240.0, 16.0, 40.0
_STYLE = (
    "text{font:13px sans-serif;fill:#333}polyline{fill:none;stroke-width:2}.axis{stroke:#999}"
    ".most{stroke:#b33;stroke-dasharray:6 4}.range{stroke:#111;stroke-width:1}"
)
_CHAR = 3.0  # half of one's width, in pixels


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured at each number of hosts, in what colour, and what it is called."""

    label: str
    colour: str
    values: Mapping[int, Sequence[float]]

    def middle(self, count: int) -> float:
        """Return the median at a number of hosts."""
        return float(median(self.values[count]))


@dataclass(frozen=True, slots=True)
class Lines:
    """A drawing: ``hosts`` is what is counted from left to right."""

    name: str
    title: str
    unit: str
    hosts: str
    lines: Sequence[Line]

    @property
    def most(self) -> float:
        """A limit to show, or 0."""
        return MOST_MB if self.unit == "MB" else 0.0

    @property
    def counts(self) -> list[int]:
        """The numbers of hosts."""
        return sorted({count for line in self.lines for count in line.values})

    @property
    def top(self) -> float:
        """The highest value that is drawn."""
        values = (value for line in self.lines for each in line.values.values() for value in each)
        return max(*values, self.most) * 1.05

    def x(self, count: float) -> float:
        """Where a number of hosts lies, in pixels from the left."""
        return _LEFT + count / max(self.counts) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Where a value lies, in pixels from the top."""
        return _HEIGHT - _BOTTOM - value / self.top * (_HEIGHT - _TOP - _BOTTOM)

    def drawn(self) -> str:
        """Draw medians and ranges."""
        about = f"Medians against the number of {self.hosts}, and ranges."
        drawing = svg.drawing(self.name, (_WIDTH, _HEIGHT), self.title, about)
        svg.put(drawing, "style", _STYLE)
        self._across(drawing, "axis", 0)
        for count in self.counts:
            svg.put(drawing, "text", f"{count}", x=self.x(count) - 8, y=_HEIGHT - _BOTTOM + 18)
        below = f"{self.hosts} beside three members"
        middle = self.x(max(self.counts) / 2) - len(below) * _CHAR
        svg.put(drawing, "text", below, x=middle, y=_HEIGHT - 4)
        if self.most:
            self._across(drawing, "most", self.most)
            svg.put(drawing, "text", f"{self.most:g} {self.unit}", x=4, y=self.y(self.most) + 5)
        for line in self.lines:
            self._draw(drawing, line)
        return as_file(drawing)

    def _across(self, drawing: Element, kind: str, value: float) -> None:
        y, right = self.y(value), self.x(max(self.counts))
        svg.put(drawing, "line", kind=kind, x1=self.x(0), x2=right, y1=y, y2=y)

    def _draw(self, drawing: Element, line: Line) -> None:
        """Draw one line, with a range at each number, and what stands at its end."""
        points = [(self.x(count), self.y(line.middle(count))) for count in line.values]
        drawn = svg.put(drawing, "polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points))
        drawn.set("stroke", line.colour)
        for count, values in line.values.items():
            x, ends = self.x(count), [self.y(value) for value in values]
            svg.put(drawing, "line", kind="range", x1=x, x2=x, y1=min(ends), y2=max(ends))
        last = f"{line.label}: {line.middle(max(line.values)):.0f} {self.unit}"
        svg.put(drawing, "text", last, x=points[-1][0] + 8, y=points[-1][1] + 5)
