"""What would beat our settings at the next start: what of theirs is read behind ours."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from orchestrator.etcd import effective
from orchestrator.etcd.install import said, unit, variables
from orchestrator.etcd.install.composed import Composed
from orchestrator.etcd.install.unit import Unit
from orchestrator.host.checks import Remark, wrong
from orchestrator.plan.facts import Target
from orchestrator.text import shown

Wanted = Mapping[str, str]  # settings of ours, with the path of the first drop-in of ours that sets each


def beating(target: Target, read: unit.Unit, wanted: Wanted) -> Iterable[Remark]:
    """Say what the next start would read behind ours, and what keeps it from starting at all."""
    installed = Composed(target)
    by_lines = {name: path for name, path in wanted.items() if installed.carrier(name) == "line"}
    by_files = {name: path for name, path in wanted.items() if installed.carrier(name) == "file"}
    yield from _unset(read, by_lines | by_files)
    yield from _of_files(read.files, by_lines, target)
    yield from _of_drop_ins(read, by_lines, by_files, target)
    yield from _missing(read)


def _unset(read: unit.Unit, wanted: Mapping[str, str]) -> Iterable[Remark]:
    taken = variables.words(read.properties.get("UnsetEnvironment", ""))
    names = [word.partition("=")[0] for word in taken]
    beaten = sorted(set(names) & set(wanted))
    if beaten:
        yield wrong(
            f"UnsetEnvironment= takes {', '.join(beaten)} away",
            "take that line out of the unit, or of the drop-in that has it: systemctl cat shows where it is",
        )


def _of_files(files: Mapping[str, str], by_lines: Mapping[str, str], target: Target) -> Iterable[Remark]:
    ours, source = Composed(target).paths, target.found.source
    for path, text in files.items():
        set_there = unit.variables_of_file(text)
        beaten = sorted(set_there & set(by_lines))
        if beaten and path not in ours:
            named = _named(beaten, path, Unit({}, {}, {path: text}), target)
            yield wrong(
                f"EnvironmentFile={path} sets {named}, which beats our Environment= lines",
                f"move these lines from {path} into a drop-in with Environment= lines",
            )
        if effective.CONFIG_FILE in set_there and not (source and source.configuration):
            yield wrong(f"EnvironmentFile={path} sets ETCD_CONFIG_FILE: etcd would ignore every variable")


def _of_drop_ins(
    read: unit.Unit, by_lines: Mapping[str, str], by_files: Mapping[str, str], target: Target
) -> Iterable[Remark]:
    ours, source = Composed(target).paths, target.found.source
    last = max(PurePosixPath(path).name for path in ours)
    for path, text in read.drop_ins.items():
        if path in ours:
            continue  # the gate 'free of other files' looks at these
        name = PurePosixPath(path).name
        shadowed = [mine for mine in ours if PurePosixPath(mine).name == name]
        if shadowed:
            yield wrong(
                f"{path} has the name of our {shadowed[0]}: systemd reads one of the two", _renamed(path)
            )
            continue
        changed, filed = unit.variables_of_drop_in(text), read.variables_filed_by(text)
        beaten = sorted(
            variable
            for variables, of_ours in ((changed, by_lines), (filed, by_files))
            for variable, mine in of_ours.items()
            if name > PurePosixPath(mine).name and (variable in variables or "*" in variables)
        )
        if beaten:
            first = PurePosixPath({**by_lines, **by_files}[beaten[0]]).name
            named = _named(beaten, path, replace(read, drop_ins={path: text}, fragment=""), target)
            yield wrong(
                f"{path} is read after our {first} and sets {named}",
                _renamed(path),
            )
        if source and source.flags and name > last and list(unit.values(text, "ExecStart")):
            yield wrong(f"{path} is read after our {last} and sets ExecStart=", _renamed(path))


def _named(names: Iterable[str], path: str, read: Unit, target: Target) -> str:
    """Name settings, with the line that sets each, what it says there and what ours says."""
    final, found = Composed(target).final, {one.name: one for one in said.said(read, {})}
    reported = []
    for name in names:
        one = found.get(name)
        place = f"line {one.line}" if one and one.path == path else f"{one.path}:{one.line}" if one else ""
        is_other = one and name in final and one.value != final[name]
        instead = f", not {final[name]}" if is_other else ""
        value = shown(one.value, quote="", limit=300) if one else ""
        reported.append(f"{name} ({place}: {value}{instead})" if one else name)
    return ", ".join(reported)


def _renamed(path: str) -> str:
    """Say how a drop-in comes to be read before ours."""
    place = PurePosixPath(path)
    before = place.with_name("20-" + place.name.lstrip("0123456789-"))
    return f"mv -n {shlex.quote(path)} {shlex.quote(str(before))}; systemctl daemon-reload"


def _missing(read: unit.Unit) -> Iterable[Remark]:
    for path in read.missing:
        yield wrong(
            f"EnvironmentFile={shown(path, quote='')} is not there, so the unit's next start fails",
            f"touch {shlex.quote(path)}, or let it be missing: write EnvironmentFile=-{path} in the unit",
        )
