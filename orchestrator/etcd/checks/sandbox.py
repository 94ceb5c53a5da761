"""Whether the unit's sandbox shows etcd the directory that the certificates will lie in.

A look as the service's user does not see what systemd hides from the process: systemd.exec(5).
"""

import posixpath
from collections.abc import Iterable, Mapping

from orchestrator.etcd import settings
from orchestrator.etcd.facts import sandbox
from orchestrator.etcd.install import unit, variables
from orchestrator.host.checks import Check, Remark, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target
from orchestrator.text import shown

_HOMES = ("/home", "/root", "/run/user")
_HIDING = ("yes", "true", "on", "1", "tmpfs")
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 -- read in what a unit says; nothing is written there


def sandboxes(target: Target) -> Check:
    """Ask what the unit hides from its process, and what the running process sees of that directory."""
    directory = target.cluster.tls.directory
    described = unit.of(target)
    place = sandbox.place(target, directory)

    def judge(answers: Answers) -> Iterable[Remark]:
        seen, real = place.read(answers)
        properties = described.read(answers).properties
        names = [posixpath.basename(path) for path in settings.Paths.of(target).material]
        files = (f"{place}/{name}" for place in (directory, real) for name in names)
        hiders = tuple(dict.fromkeys(filter(None, (hider(properties, path) for path in files))))
        fix = _fix(target, properties)
        yield from (wrong(f"{line} hides {directory} from etcd", fix) for line in hiders)
        if seen == "other" and not hiders:
            yield wrong(
                f"the process of {target.etcd.service}.service does not see this host's {directory}, "
                "so certificates that are put there are not there for etcd",
                fix,
            )
        elif not hiders:
            yield fine(f"etcd sees {directory}")

    return Check(target.name, (described, place), judge)


def _fix(target: Target, properties: Mapping[str, str]) -> str:
    service, directory = target.etcd.service, target.cluster.tls.directory
    others = (f"/etc/{service}", "/etc/ssl/etcd", "/var/lib/etcd-certificates")
    seen = next((one for one in others if one != directory and hider(properties, one) is None), None)
    unhide = f"take that out of the unit: systemctl edit --full {service}, and restart this member"
    return f"write another directory into the plan, tls.directory: {seen}; or {unhide}" if seen else unhide


def hider(properties: Mapping[str, str], directory: str) -> str | None:
    """Return the line of a unit by which a directory is hidden from its process, or None if it is seen."""
    if properties.get("RootDirectory", "") not in {"", "/"}:
        return f"RootDirectory={shown(properties['RootDirectory'], quote='')}"
    if properties.get("RootImage"):
        return f"RootImage={shown(properties['RootImage'], quote='')}"
    above = {path: line for path, line in _mounts(properties) if _is_below(directory, path)}
    return above[max(above, key=len)] if above else None


def _mounts(properties: Mapping[str, str]) -> Iterable[tuple[str, str | None]]:
    """Return each path that a unit hides, with the line that does, then each that it shows all the same."""
    home = properties.get("ProtectHome", "")
    if home in _HIDING:
        yield from ((path, f"ProtectHome={home}") for path in _HOMES)
    if properties.get("PrivateTmp", "") in _HIDING:
        yield from ((path, "PrivateTmp=yes") for path in _TEMPORARY)
    for path, line in _paths(properties, "TemporaryFileSystem"):
        yield posixpath.normpath(path.partition(":")[0]), line
    yield from _paths(properties, "InaccessiblePaths")
    for name in ("BindPaths", "BindReadOnlyPaths"):
        for path, line in _paths(properties, name):
            source, _, rest = path.partition(":")
            target = rest.partition(":")[0] or source
            yield posixpath.normpath(target), None if source == target else line


def _paths(properties: Mapping[str, str], name: str) -> Iterable[tuple[str, str]]:
    for word in variables.words(properties.get(name, "")):
        yield word.lstrip("-+").removesuffix("/") or "/", f"{name}={shown(word, quote='')}"


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top.rstrip('/')}/")
