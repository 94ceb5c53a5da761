"""What a unit's next start would use otherwise than it has to, by file and line; pure.

A file that somebody writes anew (configuration management) does no harm until a restart, so it is looked for
before one.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orchestrator.etcd import effective, files, settings
from orchestrator.etcd.install import in_place, said, unit
from orchestrator.etcd.install.composed import Composed
from orchestrator.etcd.install.said import Said
from orchestrator.etcd.install.unit import Unit
from orchestrator.host.checks import Predicate, Remark, wrong
from orchestrator.host.questions import Fact
from orchestrator.plan.facts import Target, is_at_least
from orchestrator.text import shown

Wanted = Mapping[str, str | None]
Texts = Mapping[str, str]
_ONE_SOURCE = (3, 4)  # from this version on etcd does not start with a setting both as flag and as variable


def looked_at(
    target: Target, say: Callable[[Unit, Texts], Iterable[Remark]]
) -> tuple[tuple[Fact[Any], ...], Predicate]:
    """Return what to ask a host of its next start, and the predicate that says it of the answers."""
    described, source = unit.of(target), target.found.source
    if source and source.configuration:
        configured = files.texts(target, (source.configuration.path, *Composed(target).copies))
        return (described, configured), lambda answers: say(described.read(answers), configured.read(answers))
    return (described,), lambda answers: say(described.read(answers), {})


def astray(target: Target, read: Unit, texts: Texts, wanted: Wanted) -> Iterable[Remark]:
    """Say which lines the next start would read that do not say what is wanted, one remark for each file."""
    found = said.said(read, texts)
    last = {one.name: one for one in found}
    reasons: dict[str, list[str]] = {}
    for name, value in sorted(wanted.items(), key=lambda item: last[item[0]].line if item[0] in last else 0):
        one = last.get(name)
        if one and one.is_plain and one.value != (value or ""):
            reasons.setdefault(one.path, []).append(_reported(one, value))
        elif one and one.carrier == "flag" and _is_fatal(target, found, name):
            reasons.setdefault(one.path, []).append(
                f"line {one.line} gives --{effective.flag(name)}, and a variable says the same: both is fatal"
            )
    if read.properties.get("NeedDaemonReload") == "yes":
        yield wrong(
            "the unit's files were changed since systemd read them, so what the next start reads cannot be "
            "seen yet: systemctl daemon-reload, then look again"
        )
    for path, each in reasons.items():
        yield Remark(
            "fail", f"the next start would read {shown(path, quote='')}: {', '.join(each)}", path=path
        )


def left_behind(target: Target, read: Unit, texts: Texts) -> Iterable[Remark]:
    """Say what the next start would use otherwise than before the first change, once ours are taken away.

    A host on which nothing of ours lies has nothing to lose by that.
    """
    ours, before = Composed(target).paths, target.found.environment
    if set(ours) & set(read.drop_ins):
        read, texts = in_place.as_found(target, read, texts)  # a rollback takes our edits back first
        theirs, wanted = said.without(read, ours), {name: before.get(name) for name in settings.CHANGED}
        yield from astray(target, theirs, texts, wanted)


def without_ours(target: Target, read: Unit, texts: Texts) -> Iterable[Remark]:
    """Say what the next start would use otherwise than the final settings if nothing of ours lay there."""
    theirs, final = said.without(read, Composed(target).paths), Composed(target).final
    yield from astray(target, theirs, texts, final)
    known = {one.name for one in said.said(theirs, texts)}
    missing = ", ".join(name for name in final if name not in known)
    if missing:
        yield wrong(f"no file of yours says {missing}: the next start would not have that without ours")


def _reported(one: Said, value: str | None) -> str:
    has_to = f"not {shown(value, quote='', limit=300)}" if value else "which has to be unset"
    return f"line {one.line} says {one.name}={shown(one.value, quote='', limit=300)}, {has_to}"


def _is_fatal(target: Target, found: Iterable[Said], name: str) -> bool:
    is_variable = any(one.name == name and one.value and one.carrier in {"line", "file"} for one in found)
    return is_variable and is_at_least(target.found.version or "3.4", *_ONE_SOURCE)
