"""What a large keyspace costs a run, as tables for docs/benchmarks.md."""

from collections.abc import Callable, Sequence
from statistics import median

from bench.filled import COMPARED, EMPTY, FULL, RESULTS, USED, Filled
from documented_faults import block, cells_of, table_head
from documented_race import busy, spread

COLUMNS = {
    EMPTY: "empty",
    USED: "leases, watchers",
    FULL: "leases, watchers, keys",
    COMPARED: "the same, compared",
}
Value = Callable[[Filled], float]
# fmt: off
COSTS: Sequence[tuple[str, str, int, Value]] = (
    ("the whole run",                                        "s",  1, lambda row: row.wall_s),
    ("comparing the data before the first change",           "s",  1, lambda row: row.compared_s[0]),
    ("keeping what is there: snapshot, its check, units",    "s",  1, lambda row: row.saved_s),
    ("of that, writing the snapshot",                        "s",  1, lambda row: row.saving_s),
    ("comparing the data at the end",                        "s",  1, lambda row: row.compared_s[-1]),
    ("members away, all restarts together",                  "s",  1, lambda row: sum(row.away_s)),
    ("the longest of these restarts",                        "s",  1, lambda row: max(row.away_s)),
    ("longest stall of the writing client",                  "s",  3, lambda row: row.stall_s),
    ("its longest stall while the data are compared",        "s",  3, lambda row: row.stall_comparing_s),
    ("its longest stall while the data are kept",            "s",  3, lambda row: row.stall_saving_s),
    ("longest silence of a stream of watchers",              "s",  1, lambda row: row.silence_s),
    ("median of its writes",                                 "ms", 1, lambda row: row.latency_ms),
    ("CPU of the program on the bastion",                    "s",  1, lambda row: row.cpu_s),
    ("memory of the program on the bastion",                 "MB", 0, lambda row: row.process_mb),
    ("memory of a member's etcd at the end",                 "MB", 0, lambda row: median(row.members_mb)),
)
SEEN: Sequence[tuple[str, Value]] = (
    ("writes and reads that failed",                lambda row: row.failed + row.failed_reads),
    ("acknowledged writes that were lost",          lambda row: row.lost),
    ("leases before",                               lambda row: row.leases),
    ("of them lost",                                lambda row: row.leases_lost),
    ("watchers that the members held at the end",   lambda row: sum(row.watchers_held)),
    ("events that the watchers got",                lambda row: row.delivered),
    ("events that they missed",                     lambda row: row.missed),
    ("events that they got twice",                  lambda row: row.repeated),
)
# fmt: on


def keyspace(_: str) -> str:
    """Return where it was measured, and with what."""
    full = _rows(FULL)
    if not full:
        return ""
    loads = [row.load for name in COLUMNS for row in _rows(name)]
    return (
        f"Machine: {'; '.join(sorted({row.machine for row in full}))}; {_times(len(full))}.\n"
        f"{busy(loads)}.\n"
        f"The database had {spread([row.database_mb for row in full], 'MB', 0)} on each member, filled in "
        f"{spread([row.filled_s for row in full], 's', 0)}; "
        f"the snapshot has {spread([row.snapshot_mb for row in full], 'MB', 0)}.\n"
    )


def keycosts(_: str) -> str:
    """Return what a run takes, and how many times that of an empty cluster's, turn by turn."""
    lines = table_head("", *COLUMNS.values(), "with keys, of the empty one's")
    for what, unit, digits, value in COSTS:
        cells = [spread([value(row) for row in _rows(name)], unit, digits) for name in COLUMNS if _rows(name)]
        lines.append(cells_of(what, *cells, _ratio(value, digits)))
    return block(lines)


def keyseen(_: str) -> str:
    """Return what clients, leases and watchers came to."""
    lines = table_head("", *COLUMNS.values())
    for what, value in SEEN:
        lines.append(cells_of(what, *(str(sum(map(value, _rows(name)))) for name in COLUMNS)))
    proved = [f"{sum(not row.proof for row in _rows(name))} of {len(_rows(name))}" for name in COLUMNS]
    lines.append(cells_of("runs that ended well, and stood the audit", *proved))
    found = (
        f"Not proved, {COLUMNS[name]}: {sentence}"
        for name in COLUMNS
        for row in _rows(name)
        for sentence in row.proof
    )
    return block([*lines, "", *found])


def keyaway(_: str) -> str:
    """Return how long members were away, restart by restart: the medians, in the order of the restarts."""
    most = max((len(row.away_s) for name in COLUMNS for row in _rows(name)), default=0)
    lines = table_head("member", "restart", *COLUMNS.values())
    for number in range(most):
        cells = [spread([row.away_s[number] for row in _rows(name)], "s", 1) for name in COLUMNS]
        lines.append(cells_of(f"server{number // 2 + 1}", "accept" if number % 2 == 0 else "switch", *cells))
    return block(lines)


def _rows(name: str) -> list[Filled]:
    return sorted(
        (row for row in RESULTS.written().values() if row.keyspace == name), key=lambda row: row.turn
    )


def _ratio(value: Value, digits: int) -> str:
    """Return how many times an empty cluster's that is; nothing where that one's is shown as zero."""
    without = {row.turn: value(row) for row in _rows(EMPTY) if round(value(row), digits)}
    each = [value(row) / without[row.turn] for row in _rows(FULL) if row.turn in without]
    return spread(each, "x", 1) if each else "-"


def _times(count: int) -> str:
    return "one run of each" if count == 1 else f"{count} turns of each"
