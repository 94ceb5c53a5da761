"""A migration's table, for people: Markdown for the documentation, Mermaid for the diagram."""

from collections.abc import Callable, Iterable, Sequence

from orchestrator.errors import UsageError
from orchestrator.migrations import MIGRATIONS
from orchestrator.migrations.table import ROLES, Migration, Round


def named(name: str) -> Migration:
    """Return the migration of that name; raises UsageError with the names that there are."""
    if name not in MIGRATIONS:
        raise UsageError(f"no migration {name!r}; there is {', '.join(MIGRATIONS)}")
    return MIGRATIONS[name]


def words(function: Callable[..., object]) -> str:
    """Name of a gate or an action, in words."""
    return function.__name__.replace("_", " ")


def markdown(migration: Migration) -> str:
    """Return the migration's rounds and states as two Markdown tables."""
    always = ", ".join(map(words, migration.always))
    lines = [
        f"`{migration.name}`: {migration.meaning}.",
        f"Before and after every step: {always}.",
        *([f"What clients lose: {migration.losses}."] if migration.losses else []),
        *([f"Risk: {migration.risk}."] if migration.risk else []),
        "",
        *_table(
            ("round", "of", "from", "to", "order", "waits first", "does", "proof", "undone by"),
            (
                (
                    round_.name,
                    f"every {round_.role}" + (f", {round_.wanted.said}" if round_.wanted else ""),
                    round_.source.name,
                    round_.target.name,
                    round_.order.name,
                    ", ".join(map(words, round_.there.before)),
                    ", ".join(map(words, round_.there.actions)),
                    ", ".join(map(words, round_.there.proof)),
                    ", ".join(map(words, round_.back.actions)),
                )
                for round_ in migration.rounds
            ),
        ),
        "",
        *_table(
            ("state", "a host that stands there", "gates"),
            ((state.name, state.meaning, ", ".join(map(words, state.gates))) for state in migration.states),
        ),
        "",
        *_table(
            ("gate", "what it looks at"),
            (
                (words(gate), (gate.__doc__ or "").splitlines()[0])
                for gate in dict.fromkeys(
                    gate
                    for gates in (
                        migration.always,
                        *(state.gates for state in migration.states),
                        *((*round_.there.before, *round_.there.proof) for round_ in migration.rounds),
                    )
                    for gate in gates
                )
            ),
        ),
    ]
    return "\n".join(lines) + "\n"


def mermaid(migration: Migration) -> str:
    """Return the migration's states as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for role in ROLES:
        rounds = migration.rounds_of(role)
        lines += [f"    [*] --> {round_.source.name}" for round_ in rounds[:1]]
        for round_ in rounds:
            lines.append(f"    {round_.source.name} --> {round_.target.name}: {round_.name}")
            lines.append(f"    {round_.target.name} --> {round_.source.name}: undo {round_.name}")
        usual = [round_ for round_ in rounds if round_.wanted is None]
        lines += [f"    {name} --> [*]" for name in _ends(usual, rounds)]
    return "\n".join(lines) + "\n"


def _ends(*ways: Sequence[Round]) -> Iterable[str]:
    """Name the states in which hosts stand behind the last round, of each of these ways."""
    return dict.fromkeys(way[-1].target.name for way in ways if way)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
