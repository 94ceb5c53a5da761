"""Where a member's settings come from, and what would silently beat ours."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from orchestrator.cluster.facts import Subject
from orchestrator.etcd import process, settings
from orchestrator.etcd.preflight import unit
from orchestrator.etcd.preflight.finding import Examination, Remark, doubtful, fine, on_each_host, wrong
from orchestrator.etcd.preflight.site import Site
from orchestrator.operations import Answers

NO_PROCESS = doubtful("there is no process: only the files that it would be started with were looked at")


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


@on_each_host
def origins(_site: Site, subject: Subject) -> Examination:
    """Ask for the running process's flags and variables, and for every file that its unit reads them from."""

    def judge(answers: Answers) -> Iterable[Remark]:
        running, read = process.read(subject, answers), unit.read(subject, answers)
        if answers[unit.check(subject)].exit_status != 0:
            yield wrong("there is no unit whose settings could be read")
            return
        wanted = ours(subject)
        troubles = (
            *(_of_process(running) if running.pid else ()),
            *_unset(read, wanted),
            *_of_files(read.files, wanted),
            *_of_drop_ins(read.drop_ins, wanted, settings.Paths.of(subject)),
            *(_pending(running, read) if running.pid else (NO_PROCESS,)),
        )
        yield from troubles
        if not troubles:
            names = [PurePosixPath(path).name for path in (*read.drop_ins, *read.files)]
            yield fine(f"{len(running.environment)} variables, from {', '.join(names) or 'the unit itself'}")

    return Examination(subject.name, (process.check(subject), unit.check(subject)), judge)


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
        names = ", ".join(flag.split("=")[0] for flag in flags)
        yield wrong(
            f"the process has flags, which beat variables (from etcd 3.4 on, both is fatal): {names}",
            "move them into Environment= lines of the unit",
        )


def _unset(read: unit.Unit, wanted: Mapping[str, str]) -> Iterable[Remark]:
    names = [word.partition("=")[0] for word in read.properties.get("UnsetEnvironment", "").split()]
    beaten = sorted(set(names) & set(wanted))
    if beaten:
        yield wrong(f"UnsetEnvironment= takes {', '.join(beaten)} away", "remove that line from the unit")


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
                f"{path} has the name of our {shadowed[0]}: systemd reads one of the two", f"rename {path}"
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
                f"rename it so that it sorts before {PurePosixPath(paths.insecure_localhost).name}",
            )


def _pending(running: process.Process, read: unit.Unit) -> Iterable[Remark]:
    """Settings that the unit has and the process has not: our restart would put them in force."""
    in_files = {name for text in read.files.values() for name in unit.variables_of_file(text)}
    words = shlex.split(read.properties.get("Environment", ""))
    told = dict(word.partition("=")[::2] for word in words if word.startswith("ETCD_"))
    changed = sorted(
        name
        for name, value in told.items()
        if name not in in_files and running.environment.get(name, "") != value
    )
    if changed:
        yield doubtful(
            f"the unit's {', '.join(changed)} is not what the process runs with: our restart would change it",
            "restart the member yourself first, and see that it is healthy",
        )
