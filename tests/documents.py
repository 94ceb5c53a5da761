"""Generated parts of the documentation: marked blocks, written by ``make docs``, compared by a test."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from live.faults.record import Seen, written
from live.stories import ROUNDS

from orchestrator.etcd.preflight import CHECKLIST
from orchestrator.report import tables

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"<!-- (?P<name>\w+) (?P<argument>[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def matrix(_: str) -> str:
    """Return the exit codes of each fault that was tried in rounds, round by round."""
    seen = written()
    tried = Counter(fault for fault, moment in seen if moment in ROUNDS)
    faults = sorted(tried, key=lambda fault: (-tried[fault], fault))
    lines = [f"| fault | {' | '.join(ROUNDS)} |", f"|---|{'---|' * len(ROUNDS)}"]
    for fault in faults:
        cells = (seen.get((fault, round_)) for round_ in ROUNDS)
        lines.append(f"| {fault} | {' | '.join(exits(cell) if cell else ' ' for cell in cells)} |")
    return "\n".join((*lines, ""))


def exits(row: Seen) -> str:
    return ", ".join(map(str, row.exits)) or "-"


def faults(_: str) -> str:
    """Return the fault matrix as its tests recorded it."""

    def place(row: Seen) -> tuple[str, int, str]:
        return row.fault, ROUNDS.index(row.moment) if row.moment in ROUNDS else -1, row.moment

    rows = sorted(written().values(), key=place)
    acknowledged, lost = sum(row.acknowledged for row in rows), sum(row.lost for row in rows)
    lines = [
        f"{len(rows)} cases ran. {acknowledged:,} writes were acknowledged, and each was read back from each",
        f"member at the end of its case: {lost} were lost.",
        "",
        "| fault | when | expected | exit codes | what it said | the cluster afterwards | writes lost |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        said = row.message.replace("|", "\\|") or "-"
        writes = f"{row.lost} of {row.acknowledged:,}"
        cells = (row.fault, row.moment, row.expected, exits(row), said, row.cluster, writes)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join((*lines, ""))


def checklist(_: str) -> str:
    """Return what each check looks at, why, and what helps."""
    return "\n".join(
        line
        for item in CHECKLIST
        for line in (
            f"### {item.name}",
            "",
            f"Looks at: {item.looks}.",
            f"Why: {item.why}.",
            f"Fix: {item.mend}.",
            "",
        )
    )


MAKERS: Mapping[str, Callable[[str], str]] = {
    "table": lambda name: tables.markdown(tables.named(name)),
    "graph": lambda name: f"```mermaid\n{tables.mermaid(tables.named(name))}```\n",
    "matrix": matrix,
    "faults": faults,
    "checklist": checklist,
}


def renewed(text: str) -> str:
    """Return a page with every generated block as it should be."""

    def block(match: re.Match[str]) -> str:
        name, argument = match["name"], match["argument"]
        return f"<!-- {name} {argument} -->\n{MAKERS[name](argument)}<!-- end -->"

    return BLOCK.sub(block, text)


def pages() -> list[Path]:
    """Pages that hold generated blocks."""
    return [path for path in sorted(DOCS.glob("*.md")) if BLOCK.search(path.read_text())]


if __name__ == "__main__":
    for page in pages():
        page.write_text(renewed(page.read_text()))
