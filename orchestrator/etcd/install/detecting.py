"""Where a host's etcd has its settings from, by what runs and by what its next start would read; pure."""

from dataclasses import replace

from orchestrator.etcd import effective
from orchestrator.etcd.facts.process import Process
from orchestrator.etcd.install import config_file, flags
from orchestrator.etcd.install.unit import Unit, variables_of_file
from orchestrator.etcd.settings import CHANGED
from orchestrator.plan import foreign
from orchestrator.plan.facts import TEXT_LIMIT, Configuration, Source, Target, is_at_least
from orchestrator.text import shown

_READABLE = 0o004  # by everybody


class UnservedError(ValueError):
    """Settings that cannot be changed where they are; ``fix`` is what would make that possible."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


def source(target: Target, running: Process, read: Unit) -> Source | None:
    """Return where the settings are from, None for Environment= lines alone; UnservedError if not served."""
    given = tuple(sorted(running.flags))
    filed = set().union(*map(variables_of_file, read.files.values()))
    if running.reads_file:
        given, changed = tuple({effective.CONFIG_FILE} & set(given)), {effective.CONFIG_FILE}
    else:
        changed = set(CHANGED)
    command = _command(target, read) if given else ""
    found = Source(
        flags=given,
        filed=tuple(sorted(filed & changed - set(given))),
        command=command,
        configuration=_configuration(running) if running.reads_file else None,
    )
    return None if found == Source() else found


def seen(target: Target, running: Process, read: Unit) -> Target:
    """Return the host with the source of its settings as it is seen now."""
    found = target.found.model_copy(update={"source": source(target, running, read)})
    role = "members" if target.name in target.facts.members else "proxies"
    hosts = {**getattr(target.facts, role), target.name: found}
    return replace(target, facts=target.facts.model_copy(update={role: hosts}))


def ignored(source: Source | None, version: str) -> str | None:
    """Return why what is taken for a configuration file is none to an etcd of this version, or None.

    3.3.25 says that it has recognised ETCD_CONFIG_FILE, and reads no file: only its flag selects one there.
    """
    by_variable = source and source.configuration and effective.CONFIG_FILE not in source.flags
    if not by_variable or is_at_least(version, 3, 4):
        return None
    return (
        f"etcd {version} ignores ETCD_CONFIG_FILE, so the file that it names says nothing of its settings: "
        "take that variable out of the unit, or name the file with the flag --config-file, and restart it"
    )


def described(source: Source) -> str:
    """Say where settings are from, in a few words."""
    reported = []
    if source.configuration:
        reported.append(f"the configuration file {shown(source.configuration.path, quote='')}")
    elif source.flags:
        reported.append("flags in ExecStart=")
    if source.filed and not source.configuration:
        reported.append("EnvironmentFile=")
    return " and ".join(reported)


def _command(target: Target, read: Unit) -> str:
    found = read.commands
    reason = flags.unserved(found)
    service = target.etcd.service
    if reason is None:
        try:
            return foreign.command(found[0])
        except ValueError as error:
            reason = str(error)
    raise UnservedError(
        f"the process has flags, and {reason}",
        f"let ExecStart= start etcd itself, with these flags: systemctl edit --full {service}; then restart "
        "this member",
    )


def _configuration(running: Process) -> Configuration:
    path = running.configuration
    mode, owner, group, size = (*running.configured_as, "", "", "", "")[:4]
    reported = f"etcd reads the configuration file {shown(path or '?', quote='')}"
    if not size.isdigit() or not path.startswith("/"):
        raise UnservedError(
            f"{reported}, which is not there", "put it back, or restart this member without it"
        )
    if int(size) > TEXT_LIMIT:
        raise UnservedError(
            f"{reported}, which is larger than {TEXT_LIMIT} bytes", "take out what is not needed"
        )
    if not foreign.mode(mode) & _READABLE:
        raise UnservedError(
            f"{reported}, which not everybody may read, so that no copy of it can be made",
            f"if nothing in it is secret: chmod o+r {shown(path, quote='')}",
        )
    try:
        config_file.changed(running.configured, dict.fromkeys(CHANGED, "tried"))
    except ValueError as error:
        raise UnservedError(
            f"{reported}, and it cannot be copied with other settings: {shown(str(error).splitlines()[0])}",
            "write it as plain YAML, each key once and no anchors among the settings of TLS",
        ) from error
    return Configuration(
        path=path, text=running.configured, mode=foreign.mode(mode), owner=owner, group=group
    )
