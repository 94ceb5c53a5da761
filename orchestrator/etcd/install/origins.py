"""Where a host's settings come from, and what would silently beat ours."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestrator.etcd import settings
from orchestrator.etcd.install import systemd_env, unit, variables
from orchestrator.etcd.process import Process
from orchestrator.host.checks import Remark, doubtful, fine, wrong
from orchestrator.plan.facts import Subject
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


def ours(subject: Subject) -> Mapping[str, str]:
    """Variables that our drop-ins will set, with the path of the first drop-in that sets each."""
    installed = systemd_env.SystemdEnv(subject)
    return {
        name: installed.path(stage)
        for stage in reversed(settings.stages(subject))
        for name in stage.of(subject)
    }


def judge(subject: Subject, running: Process, read: unit.Unit, *, is_under_way: bool) -> Iterable[Remark]:
    """Say what would beat our settings; ``is_under_way``: some of ours may lie there already."""
    wanted = ours(subject)
    changed = _ours_under_way(subject, running, read, wanted) if is_under_way else frozenset()
    troubles = (
        *(_of_process(running) if running.pid else ()),
        *_unset(read, wanted),
        *_of_files(read.files, wanted),
        *_of_drop_ins(read.drop_ins, wanted, systemd_env.SystemdEnv(subject).paths),
        *_missing(read),
        *(_unexplained(subject, running, read, changed) if running.pid else ()),
        *(_pending(subject, running, read, changed) if running.pid else (NO_PROCESS,)),
    )
    yield from troubles
    if not troubles:
        names = [PurePosixPath(path).name for path in (*read.drop_ins, *read.files)]
        yield fine(f"{len(running.environment)} variables, from {', '.join(names) or 'the unit itself'}")


def _of_process(running: Process) -> Iterable[Remark]:
    bypass = Bypass.of(running)
    if bypass.reads_file:
        yield wrong(
            "etcd reads a configuration file, and with one it ignores every variable",
            "move the file's settings into Environment= lines of the unit",
        )
    elif bypass.flags:
        yield wrong(
            "the process has flags, which beat variables (from etcd 3.4 on, both is fatal): "
            f"{_listed(bypass.flags)}",
            "move them into Environment= lines of the unit",
        )


def _unset(read: unit.Unit, wanted: Mapping[str, str]) -> Iterable[Remark]:
    taken = variables.words(read.properties.get("UnsetEnvironment", ""))
    names = [word.partition("=")[0] for word in taken]
    beaten = sorted(set(names) & set(wanted))
    if beaten:
        yield wrong(
            f"UnsetEnvironment= takes {', '.join(beaten)} away",
            "take that line out of the unit, or of the drop-in that has it: systemctl cat shows where it is",
        )


def _of_files(files: Mapping[str, str], wanted: Mapping[str, str]) -> Iterable[Remark]:
    for path, text in files.items():
        set_there = unit.variables_of_file(text)
        beaten = sorted(set_there & set(wanted))
        if beaten:
            yield wrong(
                f"EnvironmentFile={path} sets {', '.join(beaten)}, which beats our Environment= lines",
                f"move these lines from {path} into a drop-in with Environment= lines",
            )
        if "ETCD_CONFIG_FILE" in set_there:
            yield wrong(f"EnvironmentFile={path} sets ETCD_CONFIG_FILE: etcd would ignore every variable")


def _of_drop_ins(
    drop_ins: Mapping[str, str], wanted: Mapping[str, str], ours: tuple[str, ...]
) -> Iterable[Remark]:
    for path, text in drop_ins.items():
        if path in ours:
            continue  # the gate 'free of other files' looks at these
        name = PurePosixPath(path).name
        shadowed = [mine for mine in ours if PurePosixPath(mine).name == name]
        if shadowed:
            yield wrong(
                f"{path} has the name of our {shadowed[0]}: systemd reads one of the two", _renamed(path)
            )
            continue
        changed = unit.variables_of_drop_in(text)
        beaten = sorted(
            variable
            for variable, mine in wanted.items()
            if name > PurePosixPath(mine).name and (variable in changed or "*" in changed)
        )
        if beaten:
            first = PurePosixPath(wanted[beaten[0]]).name
            yield wrong(
                f"{path} is read after our {first} and sets {', '.join(beaten)}",
                _renamed(path),
            )


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


def _ours_under_way(
    subject: Subject, running: Process, read: unit.Unit, wanted: Mapping[str, str]
) -> frozenset[str]:
    """Variables that we are just changing: a drop-in was put in place or taken away, the restart is to come.

    Such a value of the unit is that of a drop-in of ours, or that from before the first change.
    """
    paths = systemd_env.SystemdEnv(subject).paths
    mine = [unit.variables_of_drop_in(text) for path, text in read.drop_ins.items() if path in paths]
    before = subject.found.environment
    undone = {name for name in wanted if before.get(name, "") == read.variables.get(name, "")}
    is_new = {name for name in undone if running.environment.get(name, "") != before.get(name, "")}
    return frozenset((set().union(*mine) & set(wanted)) | is_new)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(shown(name, quote="") for name in names)
