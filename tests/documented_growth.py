"""What commands cost against the number of hosts, as tables and drawings for docs/benchmarks.md."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from statistics import median

from bench.grown import QUICK, RESULTS, Grown
from documented_faults import block, cells_of, table_head
from documented_race import busy, spread
from drawn_lines import Line, Lines

COMMANDS = {
    "connecting": "opening the connections",
    "status": "`status`",
    "check": "`check`",
    "plan": "`plan`",
}
QUICK_CALLS = {"python": "`python -c pass`", "help": "`--help`", "status": "`status` of three hosts"}
COLOURS = {"connecting": "#9a9a9a", "status": "#5a9a5a", "check": "#4a78b5", "plan": "#c98b3c"}


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


def _against_hosts(name: str, field: str, unit: str, title: str) -> str:
    """Draw a field of three members' calls against the number of light hosts."""
    lines = [
        Line(
            called.replace("`", ""),
            COLOURS[command],
            {
                size[2]: [getattr(row, field) for row in rows]
                for size, rows in _by_size().items()
                if size[:2] == (command, 3)
            },
        )
        for command, called in COMMANDS.items()
    ]
    return Lines(name, title, unit, "light hosts", lines).drawn()


def walls() -> str:
    """Draw the wall time."""
    return _against_hosts("growth", "wall_s", "s", "Wall time against the number of hosts")


def memories() -> str:
    """Draw the memory, with the most that it may be."""
    return _against_hosts("memory", "memory_mb", "MB", "Memory against the number of hosts")


DRAWINGS: Mapping[str, Callable[[], str]] = {"growth.svg": walls, "growth-memory.svg": memories}
