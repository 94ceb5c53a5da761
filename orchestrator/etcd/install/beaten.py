"""What would beat our settings at the next start: what of theirs is read behind ours."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from orchestrator.etcd import effective
from orchestrator.etcd.install import said, unit, variables
from orchestrator.etcd.install.composed import Carrier, Composed
from orchestrator.host.checks import Remark, wrong
from orchestrator.plan.facts import Target
from orchestrator.text import shown

Ours = Mapping[Carrier, Mapping[str, str]]  # where etcd gets a setting of ours, and our first drop-in with it


def beating(target: Target, read: unit.Unit) -> Iterable[Remark]:
    """Say what the next start would read behind ours, and what keeps it from starting at all."""
    installed = Composed(target)
    ours: dict[Carrier, dict[str, str]] = {"line": {}, "file": {}, "flag": {}, "key": {}}
    for name, path in installed.first.items():
        ours[installed.carrier(name)][name] = path
    yield from _unset(read, ours["line"] | ours["file"])
    yield from _of_files(read.files, ours["line"], installed)
    for path in read.drop_ins:
        if path not in installed.drop_ins:  # the gate 'free of other files' looks at these
            yield from _of_drop_in(path, read, ours, installed)
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


def _of_files(files: Mapping[str, str], by_lines: Mapping[str, str], installed: Composed) -> Iterable[Remark]:
    for path, text in files.items():
        set_there = unit.variables_of_file(text)
        beaten = sorted(set_there & set(by_lines))
        if beaten and path not in installed.paths:
            named = _named(beaten, path, unit.Unit({}, {}, {path: text}), installed)
            yield wrong(
                f"EnvironmentFile={path} sets {named}, which beats our Environment= lines",
                f"move these lines from {path} into a drop-in with Environment= lines",
            )
        if effective.CONFIG_FILE in set_there and not installed.copies:
            yield wrong(f"EnvironmentFile={path} sets ETCD_CONFIG_FILE: etcd would ignore every variable")


def _of_drop_in(path: str, read: unit.Unit, ours: Ours, installed: Composed) -> Iterable[Remark]:
    name, text = PurePosixPath(path).name, read.drop_ins[path]
    shadowed = [mine for mine in installed.drop_ins if PurePosixPath(mine).name == name]
    if shadowed:
        yield wrong(f"{path} has the name of our {shadowed[0]}: systemd reads one of the two", _renamed(path))
        return
    given: Mapping[Carrier, frozenset[str]] = {
        "line": unit.variables_of_drop_in(text),
        "file": read.variables_filed_by(text),
        "flag": frozenset("*" if list(unit.values(text, "ExecStart")) else ""),
    }
    beaten = [  # the name of ours, and what it sets as well
        (PurePosixPath(mine).name, "ExecStart=" if carrier == "flag" else variable)
        for carrier, variables in given.items()
        for variable, mine in sorted(ours[carrier].items())
        if name > PurePosixPath(mine).name and variables & {variable, "*"}
    ]
    if beaten:
        names = dict.fromkeys(each for _, each in beaten)
        here = replace(read, drop_ins={path: text}, fragment="")
        yield wrong(
            f"{path} is read after our {beaten[0][0]} and sets {_named(names, path, here, installed)}",
            _renamed(path),
        )


def _named(names: Iterable[str], path: str, read: unit.Unit, installed: Composed) -> str:
    """Name settings, with the line that sets each, what it says there and what ours says."""
    final, found = installed.final, {one.name: one for one in said.said(read, {})}
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
