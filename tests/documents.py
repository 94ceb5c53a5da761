"""Generated parts of the documentation: marked blocks, written by ``make docs``, compared by a test."""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import documented_growth
import documented_keyspace
import documented_race
import documented_rolling
from documented_faults import block, cells_of, matrix, others, refusals, table_head, totals
from documented_hosts import refused, served, writes
from engine import sourced
from engine.world import make_cluster

from orchestrator.commands.settings import reported
from orchestrator.errors import ENDINGS
from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.lab.faults.strikes import FAULTS
from orchestrator.migrations import MIGRATIONS
from orchestrator.migrations.orders import one_by_one
from orchestrator.migrations.table import Migration
from orchestrator.plan import fields
from orchestrator.report import tables
from orchestrator.session import Session

DOCS = Path(__file__).parents[1] / "docs"
DEFAULT = "bridge"
INSTEAD = re.compile(r"^\| `\w+` .* \| Instead of `(\w+)\.(\w+)`\. \|\n?", re.MULTILINE)
BLOCK = re.compile(r"<!-- (?P<name>\w+) (?P<argument>[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def rounds(name: str) -> str:
    """Return a migration's meaning, rounds and states, without what `bridge` says as well."""
    migration = tables.named(name)
    about, _, states, _ = (part.splitlines() for part in tables.markdown(migration).split("\n\n"))
    rows = states[2:]
    if name != DEFAULT:
        known = tables.markdown(tables.named(DEFAULT)).splitlines()[1:]
        about, rows = ([line for line in lines if line not in known] for lines in (about, rows))
    shorter = [_beside(before, row) for before, row in pairwise(rows)]
    head = table_head("state", "a host that stands there", "gates")
    return block((*about, "", *_rounds(migration), "", *head, rows[0], *shorter))


def _rounds(migration: Migration) -> Iterable[str]:
    yield from table_head("round", "from → to", "does", "undone by")
    for round_ in migration.rounds:
        way = round_.there
        before, there, proof, back = (
            ", ".join(map(tables.words, functions))
            for functions in (way.before, way.actions, way.proof, round_.back.actions)
        )
        order = f" ({round_.order.name})" if round_.order != one_by_one else ""
        order += f" (`{round_.wanted.said}`)" if round_.wanted else ""
        does = f"waits until: {before}; {there}" if before else there
        does += f"; proof: {proof}" if proof else ""
        yield cells_of(f"{round_.name}{order}", f"{round_.source.name} → {round_.target.name}", does, back)


def _beside(before: str, row: str) -> str:
    """Return a state's row with its gates as what differs from the state before, if that is shorter."""
    (other, _, theirs), (name, meaning, ours) = (line.strip("| ").split(" | ") for line in (before, row))
    old, new = theirs.split(", "), ours.split(", ")
    parts = {
        "plus": [gate for gate in new if gate not in old],
        "without": [gate for gate in old if gate not in new],
    }
    differs = "; ".join(
        (f"as {other}", *(f"{word} {', '.join(gates)}" for word, gates in parts.items() if gates))
    )
    return cells_of(name, meaning, min(differs, ours, key=lambda text: len(text.split())))


def gates(_: str) -> str:
    """Return the gates of all migrations, each once."""
    each = [tables.markdown(migration).split("\n\n")[3].splitlines()[2:] for migration in MIGRATIONS.values()]
    rows = dict.fromkeys(line for lines in each for line in lines)
    return block((*table_head("gate", "what it looks at"), *rows))


def checklist(_: str) -> str:
    """Return what each check looks at, why, and what helps."""
    return "\n".join(
        f"**{item.name}**: {item.looks}.\nWhy: {item.why}.\nFix: {item.fix}.\n" for item in CHECKLIST
    )


def plan_fields(_: str) -> str:
    """Return every field of a plan, once: no table of another section, no field that replaces one."""
    seen: dict[str, str] = {}
    sections = []
    for section in fields.table().split("\n\n### "):
        start, _, rows = section.rpartition("\n\n")
        path = start.removeprefix("### ").partition("\n")[0]
        other = seen.setdefault(rows, path)
        found = INSTEAD.findall(rows)
        names = ", ".join(f"`{name}`" for _, name in found)
        note = (
            f"\n\nAlso, for this host alone, instead of those in `{found[0][0]}`: {names}." if found else ""
        )
        own = f"\n\n{INSTEAD.sub('', rows)}".rstrip() + note
        sections.append(start + (own if other == path else f" The fields are those of {other}."))
    return "\n\n### ".join(sections) + "\n"


def endings(_: str) -> str:
    """Return what each exit code means, whether it may stay, and what to do."""
    sections = []
    for code, ending in ENDINGS.items():
        commands = "".join(f"{line}\n" for line in ending.then)
        sections.append(
            f"### Exit code {code}\n\n{ending.meaning[0].upper()}{ending.meaning[1:]}.\n{ending.now}\n"
            f"Safe to leave it like this overnight? {ending.overnight}\n\n```sh\n{commands}```\n"
        )
    return "\n".join(sections)


LAID_OUT = {
    "ansible": sourced.in_a_file,
    "puppet": sourced.in_a_configuration,
    "cloud-config": sourced.in_a_drop_in,
    "ignition": sourced.in_flags,
}


def settings(tool: str) -> str:
    """Return what `settings` prints of the first host, where its settings are as that tool writes them."""
    with TemporaryDirectory() as folder:
        cluster = make_cluster(Path(folder))
        world = sourced.SourcedWorld(cluster, LAID_OUT[tool])
        session = Session(Path("plan.yaml"), Path(folder) / "state", cluster, MIGRATIONS[DEFAULT], (), world)
        first = f"\n\n{cluster.hosts[1].name}: "
        return f"```text\n{reported(session).partition(first)[0]}\n```\n"


def strikes(_: str) -> str:
    """Return the faults that a rehearsal knows."""
    rows = (f"| `{fault.name}` | {fault.what} |" for fault in FAULTS.values())
    return block((*table_head("fault", "what happens"), *rows))


MAKERS: Mapping[str, Callable[[str], str]] = {
    "rounds": rounds,
    "gates": gates,
    "matrix": matrix,
    "refusals": refusals,
    "others": others,
    "totals": totals,
    "served": served,
    "refused": refused,
    "writes": writes,
    "checklist": checklist,
    "endings": endings,
    "fields": plan_fields,
    "settings": settings,
    "strikes": strikes,
    "machine": documented_race.machine,
    "race": documented_race.race,
    "costs": documented_race.costs,
    "clients": documented_race.clients,
    "waterfall": documented_race.waterfall,
    "sizes": documented_growth.sizes,
    "growth": documented_growth.growth,
    "slope": documented_growth.slope,
    "runs": documented_rolling.conditions,
    "rolling": documented_rolling.costs,
    "rolled": documented_rolling.rounds,
    "step": documented_rolling.slope,
    "quick": documented_growth.quick,
    "keyspace": documented_keyspace.keyspace,
    "keycosts": documented_keyspace.keycosts,
    "keyaway": documented_keyspace.keyaway,
    "keyseen": documented_keyspace.keyseen,
}
DRAWN: Mapping[str, Callable[[], str]] = {
    **documented_race.DRAWINGS,
    **documented_growth.DRAWINGS,
    **documented_rolling.DRAWINGS,
}
DRAWINGS = DOCS / "benchmarks"


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
    for name, draw in DRAWN.items():
        (DRAWINGS / name).write_text(draw())
