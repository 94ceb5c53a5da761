"""What whole runs cost against the number of hosts, as tables and a drawing for docs/benchmarks.md."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from statistics import median
from xml.etree.ElementTree import Element

from bench.bench_rolling import MOVING, SHORT_S, USUAL_S
from bench.rolled import LOCKING, LOOKING, RESULTS, Rolled
from documented_faults import block, cells_of, table_head
from documented_growth import BOTTOM, HEIGHT, MOST_MB, STYLE, WIDTH, Axes
from documented_race import as_file, busy, spread

from orchestrator.report.html import svg

SHOWN = {
    LOOKING: LOOKING,
    LOCKING: LOCKING,
    "stage": "`stage`",
    "accept": "`accept`",
    MOVING: f"`{MOVING}`",
    "switch": "`switch`",
}
COLOURS = {"stage": "#5a9a5a", "accept": "#c98b3c", "switch": "#8a5a9a"}


def conditions(_: str) -> str:
    """Return where and how often runs were measured."""
    rows = list(RESULTS.written().values())
    if not rows:
        return ""
    turns = sorted({len(of) for of in _by_size().values()})
    ended = " or ".join(sorted({str(row.exit_code) for row in rows}))
    return (
        f"Machine: {'; '.join(sorted({row.machine for row in rows}))}; "
        f"{' or '.join(map(str, turns))} runs of each size, each on fresh hosts.\n"
        f"{busy([row.load for row in rows])}.\n"
        f"All {len(rows)} runs ended with exit code {ended}; "
        f"{sum(row.moved for row in rows)} of {sum(row.hosts for row in rows)} hosts had their client moved, "
        "and it was at work.\n"
    )


def costs(_: str) -> str:
    """Return what a run costs, size by size."""
    lines = table_head(
        "hosts",
        "load before",
        "wall time",
        "CPU",
        "memory",
        "opening at once",
        "connections",
        "restarts at once",
        "moves at once",
    )
    for rows in _by_size().values():
        lines.append(
            cells_of(
                _named(rows[0]),
                spread([row.load for row in rows], digits=0),
                spread([row.wall_s for row in rows], "s", 0),
                spread([row.cpu_s for row in rows], "s"),
                spread([row.memory_mb for row in rows], "MB", 0),
                *(
                    spread([getattr(row, name) for row in rows], digits=0)
                    for name in ("openings", "connections", "restarting", "moving")
                ),
            )
        )
    return block(lines)


def rounds(_: str) -> str:
    """Return how long the rounds took, size by size."""
    lines = table_head("hosts", *SHOWN.values())
    for rows in _by_size().values():
        cells = (spread([row.took(name) for row in rows], "s") for name in SHOWN)
        lines.append(cells_of(_named(rows[0]), *cells))
    return block(lines)


def slope(_: str) -> str:
    """Return what one more host of clients costs a run, between two sizes each."""
    found = {rows[0].hosts: rows for rows in _beside_three().values()}
    lines = table_head("from", "to", f"`{MOVING}`", LOCKING, "`switch`", "CPU", "memory")
    for fewer, more in pairwise(found):
        each = [
            (_middle(found[more], pick) - _middle(found[fewer], pick)) / (more - fewer)
            for pick in (
                *map(_time_of, (MOVING, LOCKING, "switch")),
                lambda row: row.cpu_s,
                lambda row: row.memory_mb,
            )
        ]
        cells = (*(f"{one:.2f} s" for one in each[:3]), f"{each[3] * 1000:.0f} ms", f"{each[4]:.2f} MB")
        lines.append(cells_of(str(fewer), str(more), *cells))
    return block(lines)


def _time_of(name: str) -> Callable[[Rolled], float]:
    return lambda row: row.took(name)


def _named(row: Rolled) -> str:
    beside = f" and {row.hosts} of clients" if row.hosts else ""
    usual = f", watched for {row.quiet_s:g} s" if row.quiet_s != SHORT_S else ""
    return f"{row.members} members{beside}{usual}"


def _by_size() -> dict[tuple[float, int, int], list[Rolled]]:
    found: dict[tuple[float, int, int], list[Rolled]] = {}
    for row in RESULTS.written().values():
        found.setdefault((row.quiet_s, row.hosts, row.members), []).append(row)
    return dict(sorted(found.items()))


def _beside_three() -> dict[tuple[float, int, int], list[Rolled]]:
    return {size: rows for size, rows in _by_size().items() if size[0] != USUAL_S and size[2] == 3}


def _middle(rows: list[Rolled], pick: Callable[[Rolled], float]) -> float:
    return float(median(map(pick, rows)))


Line = tuple[str, Callable[[Rolled], float]]  # its colour, and its value of a run


def _drawn(name: str, title: str, unit: str, lines: Mapping[str, Line]) -> str:
    """Draw values of three members' runs against the number of hosts."""
    found = {rows[0].hosts: rows for rows in _beside_three().values()}
    values = [pick(row) for _, pick in lines.values() for rows in found.values() for row in rows]
    most = MOST_MB if unit == "MB" else 0.0
    axes = Axes(max(found), max((*values, most)) * 1.05)
    about = "Medians against the number of hosts of clients, and ranges."
    drawing = svg.drawing(name, (WIDTH, HEIGHT), title, about)
    svg.put(drawing, "style", STYLE)
    axes.across(drawing, "axis", 0)
    for count in found:
        svg.put(drawing, "text", f"{count}", x=axes.x(count) - 8, y=HEIGHT - BOTTOM + 18)
    below = "hosts of clients beside three members"
    svg.put(drawing, "text", below, x=axes.x(axes.widest / 2) - 110, y=HEIGHT - 4)
    if most:
        axes.across(drawing, "most", most)
        svg.put(drawing, "text", f"{most:g} {unit}", x=4, y=axes.y(most) + 5)
    for said, line in lines.items():
        last = f"{said}: {_middle(found[max(found)], line[1]):.0f} {unit}"
        _line(drawing, axes, found, line, last)
    return as_file(drawing)


def _line(drawing: Element, axes: Axes, found: Mapping[int, list[Rolled]], line: Line, last: str) -> None:
    """Draw one line, with a range at each size, and what stands at its end."""
    colour, pick = line
    points = [(axes.x(count), axes.y(_middle(rows, pick))) for count, rows in found.items()]
    drawn = svg.put(drawing, "polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points))
    drawn.set("stroke", colour)
    for count, rows in found.items():
        x, ends = axes.x(count), [axes.y(pick(row)) for row in rows]
        svg.put(drawing, "line", kind="range", x1=x, x2=x, y1=min(ends), y2=max(ends))
    svg.put(drawing, "text", last, x=points[-1][0] + 8, y=points[-1][1] + 5)


def times() -> str:
    """Draw the wall time of a run, and of what of it belongs to the hosts of clients."""
    lines: Mapping[str, Line] = {
        "whole run": ("#333333", lambda row: row.wall_s),
        MOVING: ("#4a78b5", _time_of(MOVING)),
        LOCKING: ("#9a9a9a", _time_of(LOCKING)),
    }
    return _drawn("rolling", "Wall time of a run against the number of hosts", "s", lines)


def staging() -> str:
    """Draw the rounds of the members, which grow with nothing but members."""
    lines: Mapping[str, Line] = {name: (colour, _time_of(name)) for name, colour in COLOURS.items()}
    return _drawn("staging", "Time of the members' rounds against the number of hosts", "s", lines)


def memories() -> str:
    """Draw the memory, with the most that it may be."""
    lines: Mapping[str, Line] = {"whole run": ("#4a78b5", lambda row: row.memory_mb)}
    return _drawn("rollingmemory", "Memory of a run against the number of hosts", "MB", lines)


DRAWINGS: Mapping[str, Callable[[], str]] = {
    "growth-run.svg": times,
    "growth-rounds.svg": staging,
    "growth-run-memory.svg": memories,
}
