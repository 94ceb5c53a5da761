"""The fault matrix as tables for docs/faults.md: what is the same for many cases stands there once."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby, takewhile

from live.faults.record import RESULTS, Seen
from live.stories import ROUNDS

from orchestrator.migrations import MIGRATIONS

BEFORE = "before the first change"  # a moment of cases, as ROUNDS are
FIRST = MIGRATIONS["bridge"].track("member")[0].name
ENDS = {round_.name: round_.target.name for round_ in MIGRATIONS["bridge"].rounds}
NAMED_BY = re.compile(r"check names it under '(.+?)'")
FOUND = "nothing was changed; the checks found: "
PASSED_OVER = "clients warn"  # a warning of every refusal in the lab; what failed stands behind it, cut off
FIX = re.compile(r" (?:fix|fix): ")
MOST_WORDS = 12


def matrix(_: str) -> str:
    """Return each fault that was tried in every round: what was expected, and how its runs ended."""
    tried = in_every_round()
    alike: dict[tuple[str, str, str], list[str]] = {}
    for rows in tried:
        alike.setdefault((rows[0].expected, endings(rows), first_printed(rows)), []).append(rows[0].fault)
    lines = table_head("fault", "expected", "exit codes", "what it printed")
    lines += [cells_of(together(faults), *cells) for cells, faults in alike.items()]
    back = [rows[0].fault for rows in tried if {place(row) for row in rows} == {FIRST}]
    astray = [
        rows[0].fault for rows in tried if any(place(row) not in {ENDS[row.moment], FIRST} for row in rows)
    ]
    ends = [
        "Afterwards every member stood in the state to which the round leads.",
        *(f"Exception: `{FIRST}` after '{fault}'." for fault in back),
        *(f"Exception: '{fault}'." for fault in astray),
    ]
    return block([*lines, "", *ends])


def refusals(_: str) -> str:
    """Return the faults that were there before the first change, check by check."""
    alike: dict[tuple[str, str], list[Seen]] = {}
    for row in sorted(RESULTS.written().values(), key=lambda row: (row.expected, row.fault)):
        if row.moment == BEFORE:
            check = NAMED_BY.search(row.expected)
            alike.setdefault((f"`{check[1]}`" if check else "the message", exits(row)), []).append(row)
    lines = table_head("named by", "fault", "exit codes", "what it printed")
    for (check_, codes), rows in alike.items():
        lines.append(cells_of(check_, together([row.fault for row in rows]), codes, first_printed(rows)))
    return block(lines)


def others(_: str) -> str:
    """Return the faults that were tried at one moment only, once a run had begun."""
    reported = {row.key for rows in in_every_round() for row in rows}
    alike: dict[tuple[str, str], list[Seen]] = {}
    for row in sorted(RESULTS.written().values(), key=lambda row: (row.expected, row.moment, row.fault)):
        if row.key not in reported and row.moment != BEFORE:
            alike.setdefault((row.expected, exits(row)), []).append(row)
    lines = table_head("fault (when)", "expected", "exit codes", "what it printed")
    for cells, rows in alike.items():
        faults = together([f"{row.fault} ({row.moment})" for row in rows])
        lines.append(cells_of(faults, *cells, first_printed(rows)))
    return block(lines)


def totals(_: str) -> str:
    """Return what holds for all cases together; what does not hold for all of them is not said."""
    rows = RESULTS.written().values()
    acknowledged, lost = sum(row.acknowledged for row in rows), sum(row.lost for row in rows)
    ends = sorted({row.cluster.partition("; ")[2] for row in rows})
    return (
        f"{len(rows)} cases ran.\n"
        f"{acknowledged:,} writes were acknowledged and read back from every member: {lost} were lost.\n"
        f"Members at the end of every case: {', '.join(ends)}.\n"
    )


def in_every_round() -> list[list[Seen]]:
    """Return the cases of each fault that was tried in all rounds, in the rounds' order."""
    seen = RESULTS.written()
    names = sorted({fault for fault, moment in seen if moment in ROUNDS})
    tried = [[seen[name, round_] for round_ in ROUNDS if (name, round_) in seen] for name in names]
    return [rows for rows in tried if len(rows) == len(ROUNDS)]


def endings(rows: Sequence[Seen]) -> str:
    """Return the exit codes of most rounds, and those of the others by name."""
    usual = Counter(map(exits, rows)).most_common(1)[0][0]
    unusual: dict[str, list[str]] = {}
    for row in rows:
        if exits(row) != usual:
            unusual.setdefault(exits(row), []).append(row.moment)
    return "; ".join((usual, *(f"in {' and '.join(rounds_)} {codes}" for codes, rounds_ in unusual.items())))


def exits(row: Seen) -> str:
    """Return the exit codes in their order; ``3x137`` stands for three runs in turn that ended with 137."""
    runs = [(code, len(list(same))) for code, same in groupby(row.exits)]
    return ", ".join(f"{n}x{code}" if n > 2 else ", ".join([str(code)] * n) for code, n in runs) or "-"


def place(row: Seen) -> str:
    """Return where the members stand afterwards."""
    return row.cluster.partition(";")[0]


def first_printed(rows: Iterable[Seen]) -> str:
    """Return the first message of these cases that says something of the fault."""
    return next(filter(None, (quoted(row.message) for row in rows)), "")


def quoted(message: str) -> str:
    """Return the beginning of what was printed, up to the fix."""
    said = FIX.split(message.removeprefix(FOUND))[0]
    words = [] if said.startswith(PASSED_OVER) else said.split()
    return " ".join(words) if len(words) <= MOST_WORDS else " ".join(words[:MOST_WORDS]).rstrip(" ;,…") + "…"


def together(names: Sequence[str]) -> str:
    """Return names one after the other; three words or more with which all begin stand there once."""
    first, *others = (name.split() for name in names)
    same = len(list(takewhile(lambda words: len(set(words)) == 1, zip(first, *others, strict=False))))
    kept = same if same > 2 else 0
    return "; ".join((names[0], *(" ".join(words[kept:]) for words in others)))


def table_head(*head: str) -> list[str]:
    return [cells_of(*head), f"|{'---|' * len(head)}"]


def cells_of(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') or '-' for cell in cells)} |"


def block(lines: Iterable[str]) -> str:
    return "\n".join((*lines, ""))
