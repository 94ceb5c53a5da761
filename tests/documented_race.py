"""What the race showed, as tables and drawings for docs/benchmarks.md."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from xml.etree.ElementTree import Element, tostring

from bench.raced import FLOOR, OURS, RESULTS, RIVALS, Raced
from documented_faults import block, cells_of, table_head

from orchestrator.report.html import svg

NAMES = {**OURS, **RIVALS, FLOOR: "the six restarts alone"}
WIDTH, LABELS, ROW, THICK = 840.0, 330.0, 30.0, 16.0
STYLE = (
    "text{font:13px sans-serif;fill:#333}.bar{fill:#4a78b5}.floor{fill:#9a9a9a}"
    ".rival{fill:#c98b3c}.range{stroke:#111;stroke-width:1.5}"
)


def machine(_: str) -> str:
    """Return where and how often the race was run."""
    rows = RESULTS.written().values()
    machines = sorted({row.machine for row in rows})
    turns = len(numbered(next(iter(OURS))))
    if not rows:
        return ""
    return f"Machine: {'; '.join(machines)}; {turns} turns of each.\n{busy([row.load for row in rows])}.\n"


def race(_: str) -> str:
    """Return what a run costs its operator: wall time, ratios, members' absence, stalls."""
    lines = table_head(
        "",
        "wall time",
        "of the shell's",
        "of Ansible's",
        "restarts",
        "members away",
        "longest stall",
        "failed",
        "lost",
        "proved",
    )
    for name in contestants():
        rows = numbered(name)
        lines.append(
            cells_of(
                NAMES[name],
                spread([row.wall_s for row in rows], "s"),
                ratios(name, "shell"),
                ratios(name, "ansible"),
                spread([row.restarts for row in rows], digits=0),
                spread([sum(row.away_s) for row in rows], "s"),
                spread([row.stall_s for row in rows], "s", 3),
                str(sum(row.failed + row.failed_reads + row.missed for row in rows)),
                str(sum(row.lost for row in rows)),
                f"{sum(not row.proof for row in rows)} of {len(rows)}",
            )
        )
    return block(lines)


def costs(_: str) -> str:
    """Return what a run costs the bastion and the network."""
    lines = table_head("", "CPU", "memory", "SSH connections", "turns", "sent", "received")
    for name in contestants():
        rows = numbered(name)
        if name == FLOOR:
            continue
        lines.append(
            cells_of(
                NAMES[name],
                spread([row.cpu_s for row in rows], "s"),
                spread([row.memory_mb for row in rows], "MB", 0),
                spread([row.connections for row in rows], digits=0),
                spread([row.turns for row in rows], digits=0),
                spread([row.sent_bytes / 1024 for row in rows], "KB", 0),
                spread([row.received_bytes / 1024 for row in rows], "KB", 0),
            )
        )
    return block(lines)


def clients(_: str) -> str:
    """Return what clients of each kind went through: failed operations, and the longest stall."""
    found = {row.contestant: row for row in RESULTS.written().values() if row.clients}
    names = [name for name in contestants() if name in found]
    kinds = dict.fromkeys(client[0] for name in names for client in found[name].clients)
    lines = table_head(
        "client", *(NAMES[name].partition(",")[0] if name in RIVALS else NAMES[name] for name in names)
    )
    for kind in kinds:
        each = ({client[0]: client for client in found[name].clients}.get(kind) for name in names)
        lines.append(
            cells_of(kind, *(f"{one[2]} of {one[1]}, {one[3]:.2f} s" if one else "-" for one in each))
        )
    return block(lines)


def waterfall(name: str) -> str:
    """Return where the time of a run of ours went: the medians of its parts, in their order."""
    rows = numbered(name)
    parts = dict.fromkeys(part for row in rows for part, _ in row.waterfall)
    lines = table_head("part", "time", "share")
    whole = median(row.wall_s for row in rows) if rows else 0.0
    for part in parts:
        took = median(dict(row.waterfall).get(part, 0.0) for row in rows)
        if took >= 0.005:
            lines.append(cells_of(part, f"{took:.2f} s", f"{took / whole:.0%}"))
    away = median(sum(row.away_s) for row in rows) if rows else 0.0
    return block([*lines, "", f"Of the jobs with a restart, members were away for {away:.2f} s."])


def contestants() -> list[str]:
    return [name for name in NAMES if numbered(name)]


def numbered(name: str) -> list[Raced]:
    """Return a contestant's runs in the turns whose time counts."""
    rows = RESULTS.written().values()
    return sorted((r for r in rows if r.contestant == name and r.turn.isdigit()), key=lambda r: int(r.turn))


def ratios(name: str, other: str) -> str:
    """Return a contestant's wall time as a multiple of another's, turn by turn."""
    theirs = {row.turn: row.wall_s for row in numbered(other)}
    each = [row.wall_s / theirs[row.turn] for row in numbered(name) if row.turn in theirs]
    return spread(each, "x", 2) if each else "-"


def busy(loads: Sequence[float], before: str = "run") -> str:
    """Say what else the machine did, by the load before each of something."""
    ends = f"{min(loads):g} to {max(loads):g}"
    return f"What else it did: the load before a {before} was {ends}, {median(loads):.1f} in the middle"


def spread(values: Sequence[float], unit: str = "", digits: int = 1) -> str:
    """Write the median, and the range unless all are alike."""
    middle, low, high = (f"{value:.{digits}f}" for value in (median(values), min(values), max(values)))
    space = "" if unit in {"", "x"} else " "
    return f"{middle}{space}{unit}" + ("" if low == high else f" ({low} to {high})")


def walls() -> str:
    """Draw every contestant's wall time: a bar for the median, a line for the range."""
    names = contestants()
    most = max(row.wall_s for name in names for row in numbered(name))
    drawing = svg.drawing(
        "walls",
        (WIDTH, ROW * len(names) + 16),
        "Wall time of a migration",
        "Medians, and lines for the ranges.",
    )
    svg.put(drawing, "style", STYLE)
    for number, name in enumerate(names):
        times = [row.wall_s for row in numbered(name)]
        y = 8 + ROW * number
        kind = "floor" if name == FLOOR else "bar" if name in OURS else "rival"
        _labelled(drawing, y, NAMES[name].partition(", the")[0].replace("`", ""))
        svg.box(drawing, kind, (LABELS, y + (ROW - THICK) / 2, _scaled(median(times), most), THICK))
        ends = [LABELS + _scaled(value, most) for value in (min(times), max(times))]
        svg.put(drawing, "line", kind="range", x1=ends[0], x2=ends[1], y1=y + ROW / 2, y2=y + ROW / 2)
        svg.put(drawing, "text", f"{median(times):.1f} s", x=ends[1] + 8, y=y + ROW / 2 + 5)
    return as_file(drawing)


def falling() -> str:
    """Draw the waterfall of `bridge`: each part beginning where the one before ended."""
    rows = numbered("bridge")
    parts = dict.fromkeys(part for row in rows for part, _ in row.waterfall)
    took = {part: median(dict(row.waterfall).get(part, 0.0) for row in rows) for part in parts}
    shown = {part: seconds for part, seconds in took.items() if seconds >= 0.005}
    size = (WIDTH, ROW * 0.8 * len(shown) + 16)
    drawing = svg.drawing(
        "falling", size, "Where the time of a run goes", "One bar for each part, in their order."
    )
    svg.put(drawing, "style", STYLE)
    since, whole = 0.0, sum(shown.values())
    for number, (part, seconds) in enumerate(shown.items()):
        y = 8 + ROW * 0.8 * number
        kind = "rival" if "restart" in part else "bar"
        _labelled(drawing, y - 3, part)
        left = LABELS + _scaled(since, whole)
        svg.box(drawing, kind, (left, y, max(_scaled(seconds, whole), 1.0), THICK))
        svg.put(drawing, "text", f"{seconds:.2f} s", x=left + _scaled(seconds, whole) + 6, y=y + 13)
        since += seconds
    return as_file(drawing)


def as_file(drawing: Element) -> str:
    """Return a drawing as a file of its own."""
    drawing.set("xmlns", "http://www.w3.org/2000/svg")  # a page does without it, a file does not
    return tostring(drawing, encoding="unicode") + "\n"


def _labelled(drawing: Element, y: float, text: str) -> None:
    label = svg.put(drawing, "text", text, x=LABELS - 8, y=y + ROW / 2 + 5)
    label.set("text-anchor", "end")


def _scaled(value: float, most: float) -> float:
    return value / most * (WIDTH - LABELS - 70)


DRAWINGS: Mapping[str, Callable[[], str]] = {"race.svg": walls, "waterfall.svg": falling}
