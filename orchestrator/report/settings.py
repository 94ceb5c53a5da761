"""The final settings of a host, for people and for their configuration management."""

from collections.abc import Iterable, Sequence

from orchestrator.etcd import effective
from orchestrator.etcd.install.theirs import FORMS, Change, Place
from orchestrator.etcd.settings import Paths
from orchestrator.plan.facts import Target
from orchestrator.text import shown


def text(target: Target, places: Sequence[Place]) -> str:
    """Return what each file of a host has to say, and which of its lines say something else now."""
    paths = Paths.of(target)
    key = f"key {paths.key} (0600, {target.found.user}:{target.found.group})"
    lines = [f"{target.name}: certificates {paths.ca} and {paths.certificate} (0644), {key}"]
    for place in places:
        lines += ["", *(f"  {line}" for line in _place(place))]
    return "\n".join(lines)


def change(one: Change) -> str:
    """Return a line of theirs with what it says and what it has to say."""
    said = one.said
    names = {"flag": f"--{effective.flag(said.name)}", "key": effective.flag(said.name)}
    name = names.get(said.carrier, said.name)
    return f"{shown(said.path, quote='')}:{said.line}: {name}: {_value(said.value)} -> {one.value}"


def _place(place: Place) -> Iterable[str]:
    new = "" if place.is_there else ", a new file"
    yield f"{shown(place.path, quote='')} ({FORMS[place.carrier]}{new}):"
    yield from (f"  {line}" for line in place.lines)
    if place.command:
        yield "the whole command:"
        yield from (f"  {line}" for line in place.command.splitlines())
    if place.changes:
        yield "says now:"
        yield from (f"  {change(one)}" for one in place.changes)


def _value(text: str) -> str:
    return shown(text, quote="", limit=300)
