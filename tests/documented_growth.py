"""What commands cost against the number of hosts, as tables and drawings for docs/benchmarks.md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from xml.etree.ElementTree import Element

from bench.grown import QUICK, RESULTS, Grown
from documented_faults import block, cells_of, table_head
from documented_race import as_file, busy, spread

from orchestrator.report.html import svg

COMMANDS = {
    "connecting": "opening the connections",
    "status": "`status`",
    "check": "`check`",
    "plan": "`plan`",
}
QUICK_CALLS = {"python": "`python -c pass`", "help": "`--help`", "status": "`status` of three hosts"}
MOST_MB = 200.0
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 840.0, 320.0, 60.0, 240.0, 16.0, 40.0
COLOURS = {"connecting": "#9a9a9a", "status": "#5a9a5a", "check": "#4a78b5", "plan": "#c98b3c"}
STYLE = (
    "text{font:13px sans-serif;fill:#333}polyline{fill:none;stroke-width:2}.axis{stroke:#999}"
    ".most{stroke:#b33;stroke-dasharray:6 4}.range{stroke:#111;stroke-width:1}"
)


def sizes(_: str) -> str:
    """Return where and how often the commands were called."""
    rows = list(RESULTS.written().values())
    if not rows:
        return ""
    turns = sorted({max(row.turn for row in of) for of in _by_size().values()})
    return (
        f"Machine: {'; '.join(sorted({row.machine for row in rows}))}; "
        f"{' or '.join(map(str, turns))} turns of each size.\n"
        f"{busy([row.load for row in rows], 'call')}, the light hosts' own work counted.\n"
    )


def growth(_: str) -> str:
    """Return what each command costs, size by size."""
    lines = table_head("", "hosts", "wall time", "CPU", "memory", "opening at once", "connections")
    for (command, members, light), rows in _by_size().items():
        beside = f" and {light} light" if light else ""
        lines.append(
            cells_of(
                COMMANDS[command],
                f"{members} members{beside}",
                spread([row.wall_s for row in rows], "s"),
                spread([row.cpu_s for row in rows], "s", 2),
                spread([row.memory_mb for row in rows], "MB", 0),
                spread([row.openings for row in rows], digits=0),
                spread([row.connections for row in rows], digits=0),
            )
        )
    return block(lines)


def slope(_: str) -> str:
    """Return what one more host costs each command, between two sizes each: alike, if it grows in a line."""
    counts = sorted({light for _, _, light in _by_size()})
    lines = table_head("one more host", "from", "to", "wall time", "CPU", "memory")
    for command, called in COMMANDS.items():
        for fewer, more in pairwise(counts):
            before, after = (_by_size()[command, 3, light] for light in (fewer, more))
            grown = [
                (_middle(after, name) - _middle(before, name)) / (more - fewer)
                for name in ("wall_s", "cpu_s", "memory_mb")
            ]
            costs = (f"{grown[0] * 1000:.0f} ms", f"{grown[1] * 1000:.0f} ms", f"{grown[2]:.2f} MB")
            lines.append(cells_of(called, str(fewer), str(more), *costs))
    return block(lines)


def quick(_: str) -> str:
    """Return what has to be quick, in ms and as a multiple of an empty Python, turn by turn."""
    rows = [row for row in RESULTS.written().values() if row.command.startswith(QUICK)]
    took = {
        name: {row.turn: row.wall_s for row in rows if row.command == f"{QUICK} {name}"}
        for name in QUICK_CALLS
    }
    lines = table_head("", "time", "of an empty Python's")
    for name, call in QUICK_CALLS.items():
        each = [took[name][turn] / took["python"][turn] for turn in took[name]]
        times = [seconds * 1000 for seconds in took[name].values()]
        if times:
            lines.append(cells_of(call, spread(times, "ms", 0), spread(each, "x", 0)))
    return block(lines)


def _by_size() -> dict[tuple[str, int, int], list[Grown]]:
    found: dict[tuple[str, int, int], list[Grown]] = {}
    for row in RESULTS.written().values():
        if row.command in COMMANDS:
            found.setdefault((row.command, row.members, row.light), []).append(row)
    order = list(COMMANDS)
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][2], item[0][1])))


def _middle(rows: list[Grown], name: str) -> float:
    return float(median(getattr(row, name) for row in rows))


@dataclass(frozen=True, slots=True)
class Axes:
    """Where a number of light hosts and a value lie in a drawing."""

    widest: float
    top: float

    def x(self, light: float) -> float:
        """Return it, in pixels from the left."""
        return LEFT + light / self.widest * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return it, in pixels from the top."""
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)

    def across(self, drawing: Element, kind: str, value: float) -> None:
        """Draw a line at a value."""
        svg.put(
            drawing,
            "line",
            kind=kind,
            x1=self.x(0),
            x2=self.x(self.widest),
            y1=self.y(value),
            y2=self.y(value),
        )


def _against_hosts(name: str, field: str, unit: str, title: str, most: float = 0.0) -> str:
    """Draw a field of three members' calls against the number of light hosts; ``most`` is a limit to show."""
    found = {(size[0], size[2]): rows for size, rows in _by_size().items() if size[1] == 3}
    counts = sorted({light for _, light in found})
    values = [getattr(row, field) for rows in found.values() for row in rows]
    axes = Axes(max(counts), max((*values, most)) * 1.05)
    about = "Medians against the number of light hosts, and ranges."
    drawing = svg.drawing(name, (WIDTH, HEIGHT), title, about)
    svg.put(drawing, "style", STYLE)
    axes.across(drawing, "axis", 0)
    for light in counts:
        svg.put(drawing, "text", f"{light}", x=axes.x(light) - 8, y=HEIGHT - BOTTOM + 18)
    svg.put(drawing, "text", "light hosts beside three members", x=axes.x(axes.widest / 2) - 90, y=HEIGHT - 4)
    if most:
        axes.across(drawing, "most", most)
        svg.put(drawing, "text", f"{most:g} {unit}", x=4, y=axes.y(most) + 5)
    for command in COMMANDS:
        _line(drawing, axes, command, {light: found[command, light] for light in counts}, (field, unit))
    return as_file(drawing)


def _line(
    drawing: Element, axes: Axes, command: str, rows: Mapping[int, list[Grown]], what: tuple[str, str]
) -> None:
    field, unit = what
    points = [(axes.x(light), axes.y(_middle(each, field))) for light, each in rows.items()]
    drawn = svg.put(drawing, "polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points))
    drawn.set("stroke", COLOURS[command])
    for light, each in rows.items():
        ends = [axes.y(getattr(row, field)) for row in each]
        svg.put(drawing, "line", kind="range", x1=axes.x(light), x2=axes.x(light), y1=min(ends), y2=max(ends))
    last = f"{COMMANDS[command].replace('`', '')}: {_middle(rows[max(rows)], field):.0f} {unit}"
    svg.put(drawing, "text", last, x=points[-1][0] + 8, y=points[-1][1] + 5)


def walls() -> str:
    """Draw the wall time."""
    return _against_hosts("growth", "wall_s", "s", "Wall time against the number of hosts")


def memories() -> str:
    """Draw the memory, with the most that it may be."""
    return _against_hosts("memory", "memory_mb", "MB", "Memory against the number of hosts", MOST_MB)


DRAWINGS: Mapping[str, Callable[[], str]] = {"growth.svg": walls, "growth-memory.svg": memories}
