"""What a word means that the program prints: an exit code, a state, a round, a check; and what to do then.

Nothing is said here that is not said beside what it explains: errors, migrations, the checklist, the gates.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator import commandline
from orchestrator.errors import ENDINGS, UsageError
from orchestrator.etcd.checks.gate import HostCheck
from orchestrator.etcd.checks.item import Item
from orchestrator.migrations import MIGRATIONS
from orchestrator.migrations.table import Migration, Round, State
from orchestrator.plan.faults import meant
from orchestrator.report.tables import words
from orchestrator.text import shown

_GATE = "gate: "
_BEFORE = "Yes, before the first change. In the middle of a run the states of the members say it: status."


@dataclass(frozen=True, slots=True)
class Explained:
    """A word of one kind: what it means, what is true then, whether that may stay, and what to do."""

    word: str
    kind: str
    meaning: str
    now: tuple[str, ...]
    overnight: str
    then: tuple[str, ...]


def explained(word: str) -> str:
    """Return everything that a word means; UsageError with the nearest words if it is none of ours."""
    wanted = _plain(word)
    found = [one for one in every() if wanted in _names(one)]
    if not found:
        known = {one.word for one in every()}
        raise UsageError(
            f"explain: {shown(word)} is no exit code, state, round or check: {meant(wanted, known)}"
        )
    return "\n\n".join("\n".join(_lines(one)) for one in found) + "\n"


def explicable(words: Iterable[str]) -> list[str]:
    """Return those words that are ours, in their order."""
    known = {name for one in every() for name in _names(one)}
    return [word for word in words if _plain(word) in known]


def _names(one: Explained) -> set[str]:
    return {_plain(one.word), _plain(f"{one.kind} {one.word}")}


def every() -> Iterator[Explained]:
    """Everything that can be explained, in its order."""
    yield from _endings()
    yield from _states()
    for migration in MIGRATIONS.values():
        yield from (_round(migration, one) for one in migration.rounds)
    yield from map(_item, dict.fromkeys(item for one in MIGRATIONS.values() for item in one.preflight))
    yield from map(_gate, dict.fromkeys(gate for one in MIGRATIONS.values() for gate in gates_of(one)))


def gates_of(migration: Migration) -> Iterator[HostCheck]:
    """Every gate that a run of a migration can wait for or stop at."""
    yield from migration.always
    for state in migration.states:
        yield from state.gates
    for round_ in migration.rounds:
        for way in (round_.there, round_.back):
            yield from (
                *(way.always or ()),
                *(way.gates or ()),
                *way.proof,
                *way.before,
                *way.away,
                *way.lost,
            )


def _plain(word: str) -> str:
    return " ".join(word.lower().removeprefix(_GATE).replace("_", " ").split())


def _lines(one: Explained) -> Iterable[str]:
    yield f"{one.word} ({one.kind}): {one.meaning}"
    yield from (f"  {line}" for line in one.now)
    yield f"  Safe to leave it like this overnight? {one.overnight}"
    if one.then:
        yield "  What now:"
        yield from (f"    {_command(line)}" for line in one.then)


def _command(line: str) -> str:
    return commandline.spelled(line, lambda verb: f"{commandline.command(verb)} PLAN")


def _endings() -> Iterator[Explained]:
    for code, ending in ENDINGS.items():
        yield Explained(str(code), "exit code", ending.meaning, (ending.now,), ending.overnight, ending.then)


def _states() -> Iterator[Explained]:
    by_state: dict[State, list[str]] = {}
    for migration in MIGRATIONS.values():
        for state in migration.states:
            by_state.setdefault(state, []).append(migration.name)
    for state, names in by_state.items():
        true = ", ".join(map(words, state.gates))
        yield Explained(
            state.name,
            f"state of {', '.join(names)}",
            state.meaning,
            (f"True of such a host: {true}.",),
            state.overnight,
            ("orchestrator status PLAN", "orchestrator run PLAN --resume", "orchestrator rollback PLAN"),
        )


def _round(migration: Migration, one: Round) -> Explained:
    does = ", ".join(map(words, one.there.actions)) or "nothing: it looks"
    undone = ", ".join(map(words, one.back.actions)) or "nothing"
    waits = ", ".join(map(words, one.there.before))
    advice = one.there.advice
    is_mixed = f"Hosts that have not taken it stand in '{one.source.name}', the others in '{one.target.name}'"
    if advice and advice.is_urgent:
        overnight = "Not in the middle of it: go on, or go back."
    else:
        overnight = f"As safe as its two states. {one.source.name}: {one.source.overnight} "
        overnight += f"{one.target.name}: {one.target.overnight}"
    return Explained(
        one.name,
        f"round of {migration.name}",
        f"takes every {one.role} from '{one.source.name}' to '{one.target.name}', {one.order.name}",
        (
            *([f"Plans have it that say: {one.wanted.said}."] if one.wanted else ()),
            *([f"Waits first until: {waits}."] if waits else ()),
            f"Does: {does}. Undone by: {undone}.",
            f"{is_mixed}.",
            *([f"If a run stops in it: {advice.text}."] if advice else ()),
        ),
        overnight,
        ("orchestrator status PLAN", "orchestrator run PLAN --resume", "orchestrator rollback PLAN"),
    )


def _item(item: Item) -> Explained:
    return Explained(
        item.name,
        "check",
        item.looks,
        (f"Why: {item.why}.", f"Fix: {_command(item.fix)}."),
        _BEFORE,
        ("orchestrator check PLAN",),
    )


def _gate(gate: HostCheck) -> Explained:
    states = ", ".join(
        dict.fromkeys(
            state.name for one in MIGRATIONS.values() for state in one.states if gate in state.gates
        )
    )
    where = (
        f"It has to hold of a host that stands in: {states}." if states else "A step asks for it on its way."
    )
    return Explained(
        words(gate),
        "gate",
        (gate.__doc__ or "").splitlines()[0],
        (where, "If it does not hold, the run stops there; the message says what was seen."),
        "With exit code 7 as safe as the state that 'status' names; with 9 not.",
        ("orchestrator status PLAN", "orchestrator run PLAN --resume"),
    )
