"""What the operator's own files have to say once a host has been migrated, each in its own form; pure.

The final settings, and what carries each, are those that the run itself uses: composed.py. Ours lie beside
theirs and win; whoever writes theirs anew (configuration management) has to write these.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.etcd import effective
from orchestrator.etcd.install import config_file, drop_ins, environment_file, flags, said, systemd_env
from orchestrator.etcd.install.composed import Carrier, Composed
from orchestrator.etcd.install.said import Said
from orchestrator.etcd.install.unit import Unit
from orchestrator.etcd.settings import Settings
from orchestrator.plan.facts import Target

FORMS: Mapping[Carrier, str] = {
    "line": "lines of the unit, or of a drop-in",
    "file": "lines of the file for EnvironmentFile=",
    "flag": "flags of etcd's command line",
    "key": "keys of etcd's configuration file",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A line of theirs that says something else than it has to."""

    said: Said
    value: str


@dataclass(frozen=True, slots=True)
class Place:
    """One file of theirs: what has to stand there, and which of its lines say something else now.

    ``settings`` are those that stand there in the end, ``lines`` how. ``is_there`` is whether it says any
    setting of ours now; ``command`` is ExecStart= with the final flags, where it stands in this file.
    """

    carrier: Carrier
    path: str
    settings: Settings
    lines: tuple[str, ...]
    changes: tuple[Change, ...]
    is_there: bool
    command: str = ""


def configuration(target: Target, read: Unit) -> str | None:
    """Return the path of their configuration file, if etcd reads one."""
    source = target.found.source
    if not (source and source.configuration):
        return None
    theirs = said.said(said.without(read, Composed(target).paths), {})
    named = [one.value for one in theirs if one.name == effective.CONFIG_FILE]
    return named[-1] if named else source.configuration.path


def places(target: Target, read: Unit, configurations: Mapping[str, str]) -> tuple[Place, ...]:
    """Return each file of theirs with what it has to say; ``configurations`` are texts by their paths."""
    installed = Composed(target)
    read = said.without(read, installed.paths)
    final = installed.final
    theirs = [one for one in said.said(read, configurations) if one.name in final]
    wanted: dict[tuple[Carrier, str], dict[str, str]] = {}
    for one in theirs:
        wanted.setdefault((one.carrier, one.path), {})[one.name] = final[one.name]
    known = {one.name for one in theirs}
    for name in final:
        if name not in known:
            carrier = installed.carrier(name)
            place = (carrier, _usual(target, carrier, read, theirs))
            wanted.setdefault(place, {})[name] = final[name]
    return tuple(
        Place(
            carrier,
            path,
            settings,
            _lines(carrier, {name: settings[name] for name in final if name in settings}),
            tuple(_changes(carrier, path, theirs, final)),
            is_there=any(one.path == path for one in theirs),
            command=_command(read, path, settings) if carrier == "flag" else "",
        )
        for (carrier, path), settings in wanted.items()
    )


def _changes(carrier: Carrier, path: str, theirs: Iterable[Said], final: Settings) -> Iterable[Change]:
    for one in theirs:
        if (one.carrier, one.path) == (carrier, path) and one.value != final[one.name]:
            yield Change(one, final[one.name])


def _usual(target: Target, carrier: Carrier, read: Unit, theirs: Iterable[Said]) -> str:
    """Where a setting goes that no file of theirs says: beside the last of its kind."""
    path = next((one.path for one in reversed(tuple(theirs)) if one.carrier == carrier), None)
    if path is not None:
        return path
    if carrier == "key":
        return configuration(target, read) or ""
    if carrier == "file" and read.files:
        return list(read.files)[-1]
    found = said.command(read) if carrier == "flag" else None
    return found[0] if found else f"{drop_ins.directory(target.etcd)}/{drop_ins.BEFORE_OURS}"


def _lines(carrier: Carrier, settings: Settings) -> tuple[str, ...]:
    match carrier:
        case "line":
            return systemd_env.lines(settings)
        case "file":
            return tuple(environment_file.text(settings).splitlines())
        case "flag":
            return tuple(flags.spelled(name, value) for name, value in settings.items())
        case "key":
            return tuple(config_file.keys(settings).splitlines())


def _command(read: Unit, path: str, settings: Settings) -> str:
    found = said.command(read)
    if not found or found[0] != path or flags.unserved(read.commands):
        return ""
    return f"ExecStart={flags.restated(found[1], settings)}"
