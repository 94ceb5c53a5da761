"""Where a member's settings come from, and what would silently beat ours."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from orchestrator.etcd import settings
from orchestrator.etcd.facts import process
from orchestrator.etcd.preflight import unit, variables
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Subject
from orchestrator.text import shown

NO_PROCESS = doubtful(
    "there is no process: only the files that it would be started with were looked at",
    "what the check 'unit' prints comes first; then check again",
)


def ours(subject: Subject) -> Mapping[str, str]:
    """Variables that our drop-ins will set, with the path of the first drop-in that sets each."""
    paths = settings.Paths.of(subject)
    if subject.name not in subject.facts.members:
        return dict.fromkeys(settings.relaying(subject), paths.certs)
    first = () if settings.has_local_port(subject) else settings.insecure_localhost(subject)
    return {
        **dict.fromkeys(settings.tls_listeners(subject), paths.tls),
        **dict.fromkeys(settings.certificates(subject), paths.certs),
        **dict.fromkeys(first, paths.insecure_localhost),
    }


def origins(subject: Subject) -> Check:
    """Ask for the running process's flags and variables, and for every file that its unit reads them from."""
    are_gathered = bool(subject.facts.cluster_id)
    runs, described = process.running(subject), unit.of(subject)

    def judge(answers: Answers) -> Iterable[Remark]:
        running, read = runs.read(answers), described.read(answers)
        wanted = ours(subject)
        changed = _ours_under_way(subject, running, read, wanted) if are_gathered else frozenset()
        troubles = (
            *(_of_process(running) if running.pid else ()),
            *_unset(read, wanted),
            *_of_files(read.files, wanted),
            *_of_drop_ins(read.drop_ins, wanted, settings.Paths.of(subject)),
            *_missing(read),
            *(_unexplained(subject, running, read, changed) if running.pid else ()),
            *(_pending(subject, running, read, changed) if running.pid else (NO_PROCESS,)),
        )
        yield from troubles
        if not troubles:
            names = [PurePosixPath(path).name for path in (*read.drop_ins, *read.files)]
            yield fine(f"{len(running.environment)} variables, from {', '.join(names) or 'the unit itself'}")

    return Check(subject.name, (runs, described), judge)


def _of_process(running: process.Process) -> Iterable[Remark]:
    flags = [word for word in running.arguments[1:] if word.startswith("-")]
    if any(flag.lstrip("-").split("=")[0] == "config-file" for flag in flags) or (
        "ETCD_CONFIG_FILE" in running.environment
    ):
        yield wrong(
            "etcd reads a configuration file, and with one it ignores every variable",
            "move the file's settings into Environment= lines of the unit",
        )
    elif flags:
        names = _listed(flag.split("=")[0] for flag in flags)
        yield wrong(
            f"the process has flags, which beat variables (from etcd 3.4 on, both is fatal): {names}",
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
    drop_ins: Mapping[str, str], wanted: Mapping[str, str], paths: settings.Paths
) -> Iterable[Remark]:
    for path, text in drop_ins.items():
        if path in paths.settings:
            continue  # the gate 'free of other files' looks at these
        name = PurePosixPath(path).name
        shadowed = [mine for mine in paths.settings if PurePosixPath(mine).name == name]
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
    subject: Subject, running: process.Process, read: unit.Unit, changed: frozenset[str]
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
    subject: Subject, running: process.Process, read: unit.Unit, changed: frozenset[str]
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
    subject: Subject, running: process.Process, read: unit.Unit, wanted: Mapping[str, str]
) -> frozenset[str]:
    """Variables that we are just changing: a drop-in was put in place or taken away, the restart is to come.

    Such a value of the unit is that of a drop-in of ours, or that from before the first change.
    """
    paths = settings.Paths.of(subject).settings
    mine = [unit.variables_of_drop_in(text) for path, text in read.drop_ins.items() if path in paths]
    before = subject.found.environment
    undone = {name for name in wanted if before.get(name, "") == read.variables.get(name, "")}
    is_new = {name for name in undone if running.environment.get(name, "") != before.get(name, "")}
    return frozenset((set().union(*mine) & set(wanted)) | is_new)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(shown(name, quote="") for name in names)
