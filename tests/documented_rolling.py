"""What whole runs cost against the number of hosts, as tables and a drawing for docs/benchmarks.md."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from statistics import median

from bench.bench_rolling import MOVING, SHORT_S, USUAL_S
from bench.rolled import LOCKING, LOOKING, RESULTS, Rolled
from documented_faults import block, cells_of, table_head
from documented_race import busy, spread
from drawn_lines import Line, Lines

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


def _line(label: str, colour: str, pick: Callable[[Rolled], float]) -> Line:
    return Line(label, colour, {rows[0].hosts: [*map(pick, rows)] for rows in _beside_three().values()})


def _drawn(name: str, title: str, unit: str, *lines: Line) -> str:
    """Draw values of three members' runs against the number of hosts."""
    return Lines(name, title, unit, "hosts of clients", lines).drawn()


def times() -> str:
    """Draw the wall time of a run, and of what of it belongs to the hosts of clients."""
    return _drawn(
        "rolling",
        "Wall time of a run against the number of hosts",
        "s",
        _line("whole run", "#333333", lambda row: row.wall_s),
        _line(MOVING, "#4a78b5", _time_of(MOVING)),
        _line(LOCKING, "#9a9a9a", _time_of(LOCKING)),
    )


def staging() -> str:
    """Draw the rounds of the members, which grow with nothing but members."""
    lines = (_line(name, colour, _time_of(name)) for name, colour in COLOURS.items())
    return _drawn("staging", "Time of the members' rounds against the number of hosts", "s", *lines)


def memories() -> str:
    """Draw the memory, with the most that it may be."""
    memory = _line("whole run", "#4a78b5", lambda row: row.memory_mb)
    return _drawn("rollingmemory", "Memory of a run against the number of hosts", "MB", memory)


DRAWINGS: Mapping[str, Callable[[], str]] = {
    "growth-run.svg": times,
    "growth-rounds.svg": staging,
    "growth-run-memory.svg": memories,
}
