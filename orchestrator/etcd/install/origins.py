"""Where a host's settings come from, and what would silently beat ours."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from orchestrator.etcd import effective, settings
from orchestrator.etcd.facts.process import Process
from orchestrator.etcd.install import detecting, drop_ins, flags, unit
from orchestrator.etcd.install.beaten import beating
from orchestrator.etcd.install.command import expanded
from orchestrator.etcd.install.composed import Composed
from orchestrator.host.checks import Remark, doubtful, fine, wrong
from orchestrator.plan.facts import Source, Target
from orchestrator.text import shown

NO_PROCESS = doubtful(
    "no process runs: only the unit's files were read",
    "what the check 'unit' prints comes first; then check again",
)


def strangers(running: Process, source: Source | None) -> Iterable[Remark]:
    """Say which settings a process has from where it had none: they would pass ours by."""
    had = source or Source()
    if running.reads_file and not had.configuration:
        yield wrong(
            "etcd reads a configuration file, which it did not, and it ignores variables and flags then",
            "take the configuration file out of the unit again, and restart this member",
        )
    elif running.flags and not had.flags and not had.configuration:
        yield wrong(
            "the process has flags, which it had not, and they beat variables (from etcd 3.4 on, both is "
            f"fatal): {_listed('--' + effective.flag(name) for name in running.flags)}",
            "take them out of the unit again, and restart this member",
        )


def judge(target: Target, running: Process, read: unit.Unit, *, is_under_way: bool) -> Iterable[Remark]:
    """Say what would beat our settings; ``is_under_way``: some of ours may lie there already."""
    unserved = []
    if running.pid and not is_under_way:
        try:
            target = detecting.seen(target, running, read)
        except detecting.UnservedError as error:
            unserved = [wrong(str(error), error.fix)]
    source = target.found.source
    changed = _ours_under_way(target, running, read) if is_under_way else frozenset()
    troubles = (
        *unserved,
        *(strangers(running, source) if running.pid and not unserved else ()),
        *beating(target, read),
        *(_unexplained(target, running, read, changed) if running.pid else ()),
        *(_pending(target, running, read, changed) if running.pid else (NO_PROCESS,)),
        *(_pending_command(target, running, read, is_under_way=is_under_way) if running.pid else ()),
    )
    yield from troubles
    if not troubles and source:
        yield fine(f"{detecting.described(source)}; ours will be in {drop_ins.directory(target.etcd)}")
    elif not troubles:
        names = [PurePosixPath(path).name for path in (*read.drop_ins, *read.files)]
        yield fine(f"{len(running.environment)} variables, from {', '.join(names) or 'the unit itself'}")


def _unexplained(
    target: Target, running: Process, read: unit.Unit, changed: frozenset[str]
) -> Iterable[Remark]:
    """Variables of the process that no line and no file sets: who sets them would overwrite ours."""
    known = set(read.variables) | read.passed | changed
    names = sorted(name for name, value in running.environment.items() if value and name not in known)
    if names:
        yield wrong(
            f"the process has {_listed(names)}, which no line and no file of the unit sets: a start script "
            "sets them and would overwrite ours, or the unit was changed since the process started",
            "let ExecStart= start etcd itself, with these settings in Environment= lines: "
            f"systemctl edit --full {target.etcd.service}; then restart this member",
        )


def _pending(target: Target, running: Process, read: unit.Unit, changed: frozenset[str]) -> Iterable[Remark]:
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
            f"systemctl restart {target.etcd.service}",
        )


def _pending_command(
    target: Target, running: Process, read: unit.Unit, *, is_under_way: bool
) -> Iterable[Remark]:
    """A command line that the unit has and the process has not, as far as systemd's variables tell.

    Where a command of ours lies, or runs, the restart may be to come: gates look at what runs then.
    """
    source, before = target.found.source, target.found.environment
    is_ours = any(running.settings.get(name) != before.get(name) for name in settings.CHANGED)
    if is_under_way and (is_ours or set(Composed(target).paths) & set(read.drop_ins)):
        return
    words = expanded(source.command, read.variables) if source and source.command else None
    if words and not flags.is_shell(words) and words[1:] != running.arguments[1:]:
        yield wrong(
            "the process does not run with the command that the unit's ExecStart= has: our restart would put "
            "that in force",
            "put the unit right, or restart this member alone and see that it is healthy: "
            f"systemctl restart {target.etcd.service}",
        )


def _ours_under_way(target: Target, running: Process, read: unit.Unit) -> frozenset[str]:
    """Variables that we are just changing: a drop-in was put in place or taken away, the restart is to come.

    Such a value of the unit is that of a drop-in of ours, or that from before the first change.
    """
    paths = Composed(target).paths
    mine = [
        *(unit.variables_of_drop_in(text) for path, text in read.drop_ins.items() if path in paths),
        *(unit.variables_of_file(text) for path, text in read.files.items() if path in paths),
    ]
    before, wanted = target.found.environment, set(Composed(target).first) - {effective.CONFIG_FILE}
    undone = {name for name in wanted if before.get(name, "") == read.variables.get(name, "")}
    is_new = {name for name in undone if running.environment.get(name, "") != before.get(name, "")}
    theirs = target.found.source.configuration if target.found.source else None
    if theirs and read.variables.get(effective.CONFIG_FILE) == theirs.path:
        is_new.add(effective.CONFIG_FILE)
    return frozenset((set().union(*mine) & {*wanted, effective.CONFIG_FILE}) | is_new)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(shown(name, quote="") for name in names)
