"""Where a host's settings come from, and what would silently beat ours."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestrator.etcd import effective, settings
from orchestrator.etcd.install import detecting, drop_ins, flags, unit, variables
from orchestrator.etcd.install.command import expanded
from orchestrator.etcd.install.composed import Composed
from orchestrator.etcd.process import Process
from orchestrator.host.checks import Remark, doubtful, fine, wrong
from orchestrator.plan.facts import Source, Subject
from orchestrator.text import shown

NO_PROCESS = doubtful(
    "there is no process: only the files that it would be started with were looked at",
    "what the check 'unit' prints comes first; then check again",
)


@dataclass(frozen=True, slots=True)
class Bypass:
    """What lets a process take settings past its variables: flags, by their names, and a file."""

    flags: tuple[str, ...]
    reads_file: bool

    @classmethod
    def of(cls, running: Process) -> "Bypass":
        """Return what a process has: flags beat or contradict variables, a configuration file hides both."""
        flags = tuple(word.split("=")[0] for word in running.arguments[1:] if word.startswith("-"))
        is_named = any(flag.lstrip("-") == "config-file" for flag in flags)
        return cls(flags, is_named or "ETCD_CONFIG_FILE" in running.environment)


def strangers(running: Process, source: Source | None) -> Iterable[Remark]:
    """Say which settings a process has from where it had none: they would pass ours by."""
    bypass, had = Bypass.of(running), source or Source()
    if bypass.reads_file and not had.configuration:
        yield wrong(
            "etcd reads a configuration file, which it did not, and it ignores variables and flags then",
            "take the configuration file out of the unit again, and restart this member",
        )
    elif bypass.flags and not had.flags and not had.configuration:
        yield wrong(
            "the process has flags, which it had not, and they beat variables (from etcd 3.4 on, both is "
            f"fatal): {_listed(bypass.flags)}",
            "take them out of the unit again, and restart this member",
        )


def ours(subject: Subject) -> Mapping[str, str]:
    """Settings that our drop-ins will set, with the path of the first drop-in that sets each."""
    installed = Composed(subject)
    return {
        name: installed.path(stage)
        for stage in reversed(settings.stages(subject))
        for name in stage.of(subject)
    }


def judge(subject: Subject, running: Process, read: unit.Unit, *, is_under_way: bool) -> Iterable[Remark]:
    """Say what would beat our settings; ``is_under_way``: some of ours may lie there already."""
    unserved = []
    if running.pid and not is_under_way:
        try:
            subject = detecting.seen(subject, running, read)
        except detecting.UnservedError as error:
            unserved = [wrong(str(error), error.fix)]
    installed, source = Composed(subject), subject.found.source
    wanted = ours(subject)
    by_lines = {name: path for name, path in wanted.items() if installed.carrier(name) == "line"}
    by_files = {name: path for name, path in wanted.items() if installed.carrier(name) == "file"}
    changed = _ours_under_way(subject, running, read, wanted) if is_under_way else frozenset()
    troubles = (
        *unserved,
        *(strangers(running, source) if running.pid and not unserved else ()),
        *_unset(read, by_lines | by_files),
        *_of_files(read.files, by_lines, source, installed.paths),
        *_of_drop_ins(read, by_lines, by_files, subject),
        *_missing(read),
        *(_unexplained(subject, running, read, changed) if running.pid else ()),
        *(_pending(subject, running, read, changed) if running.pid else (NO_PROCESS,)),
        *(_pending_command(subject, running, read, is_under_way=is_under_way) if running.pid else ()),
    )
    yield from troubles
    if not troubles and source:
        yield fine(f"{detecting.described(source)}; ours will be in {drop_ins.directory(subject.host)}")
    elif not troubles:
        names = [PurePosixPath(path).name for path in (*read.drop_ins, *read.files)]
        yield fine(f"{len(running.environment)} variables, from {', '.join(names) or 'the unit itself'}")


def _unset(read: unit.Unit, wanted: Mapping[str, str]) -> Iterable[Remark]:
    taken = variables.words(read.properties.get("UnsetEnvironment", ""))
    names = [word.partition("=")[0] for word in taken]
    beaten = sorted(set(names) & set(wanted))
    if beaten:
        yield wrong(
            f"UnsetEnvironment= takes {', '.join(beaten)} away",
            "take that line out of the unit, or of the drop-in that has it: systemctl cat shows where it is",
        )


def _of_files(
    files: Mapping[str, str], by_lines: Mapping[str, str], source: Source | None, ours: tuple[str, ...]
) -> Iterable[Remark]:
    for path, text in files.items():
        set_there = unit.variables_of_file(text)
        beaten = sorted(set_there & set(by_lines))
        if beaten and path not in ours:
            yield wrong(
                f"EnvironmentFile={path} sets {', '.join(beaten)}, which beats our Environment= lines",
                f"move these lines from {path} into a drop-in with Environment= lines",
            )
        if effective.CONFIG_FILE in set_there and not (source and source.configuration):
            yield wrong(f"EnvironmentFile={path} sets ETCD_CONFIG_FILE: etcd would ignore every variable")


def _of_drop_ins(
    read: unit.Unit, by_lines: Mapping[str, str], by_files: Mapping[str, str], subject: Subject
) -> Iterable[Remark]:
    ours, source = Composed(subject).paths, subject.found.source
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
            yield wrong(
                f"{path} is read after our {first} and sets {', '.join(beaten)}",
                _renamed(path),
            )
        if source and source.flags and name > last and list(unit.values(text, "ExecStart")):
            yield wrong(f"{path} is read after our {last} and sets ExecStart=", _renamed(path))


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


def _unexplained(
    subject: Subject, running: Process, read: unit.Unit, changed: frozenset[str]
) -> Iterable[Remark]:
    """Variables of the process that no line and no file sets: who sets them would overwrite ours."""
    known = set(read.variables) | read.passed | changed
    names = sorted(name for name, value in running.environment.items() if value and name not in known)
    if names:
        yield wrong(
            f"the process has {_listed(names)}, which no line and no file of the unit sets: a start script "
            "sets them and would overwrite ours, or the unit was changed since the process started",
            "let ExecStart= start etcd itself, with these settings in Environment= lines: "
            f"systemctl edit --full {subject.host.service}; then restart this member",
        )


def _pending(
    subject: Subject, running: Process, read: unit.Unit, changed: frozenset[str]
) -> Iterable[Remark]:
    """Settings that the unit has and the process has not: our restart would put them in force."""
    names = sorted(
        name
        for name, value in read.variables.items()
        if name.startswith("ETCD_") and running.environment.get(name, "") != value and name not in changed
    )
    if names:
        yield wrong(
            f"the process does not run with what the unit's files say of {_listed(names)}: our restart would "
            "put that in force",
            "put the files right, or restart this member alone and see that it is healthy: "
            f"systemctl restart {subject.host.service}",
        )


def _pending_command(
    subject: Subject, running: Process, read: unit.Unit, *, is_under_way: bool
) -> Iterable[Remark]:
    """A command line that the unit has and the process has not, as far as systemd's variables tell.

    Where a command of ours lies, or runs, the restart may be to come: gates look at what runs then.
    """
    source, before = subject.found.source, subject.found.environment
    is_ours = any(running.settings.get(name) != before.get(name) for name in settings.CHANGED)
    if is_under_way and (is_ours or set(Composed(subject).paths) & set(read.drop_ins)):
        return
    words = expanded(source.command, read.variables) if source and source.command else None
    if words and not flags.is_shell(words) and words[1:] != running.arguments[1:]:
        yield wrong(
            "the process does not run with the command that the unit's ExecStart= has: our restart would put "
            "that in force",
            "put the unit right, or restart this member alone and see that it is healthy: "
            f"systemctl restart {subject.host.service}",
        )


def _ours_under_way(
    subject: Subject, running: Process, read: unit.Unit, wanted: Mapping[str, str]
) -> frozenset[str]:
    """Variables that we are just changing: a drop-in was put in place or taken away, the restart is to come.

    Such a value of the unit is that of a drop-in of ours, or that from before the first change.
    """
    paths = Composed(subject).paths
    mine = [
        *(unit.variables_of_drop_in(text) for path, text in read.drop_ins.items() if path in paths),
        *(unit.variables_of_file(text) for path, text in read.files.items() if path in paths),
    ]
    before = subject.found.environment
    undone = {name for name in wanted if before.get(name, "") == read.variables.get(name, "")}
    is_new = {name for name in undone if running.environment.get(name, "") != before.get(name, "")}
    return frozenset((set().union(*mine) & {*wanted, effective.CONFIG_FILE}) | is_new)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(shown(name, quote="") for name in names)
