"""Clients that systemd runs on hosts of the plan: what is done to move them to https, and back; pure."""

import difflib
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestrator.errors import RefusedError
from orchestrator.etcd.facts.own_files import OnHost
from orchestrator.etcd.install import secret_values
from orchestrator.host.operations import Operation, ReplaceFile, Run, Secret
from orchestrator.plan.facts import ClientFile, Target
from orchestrator.plan.locations import read_plain
from orchestrator.plan.sections import ClientUnit

LIMIT_BYTES = 1 << 20  # of a new content
MOST_LINES = 200  # of a difference that is shown
# A line of a difference: what stands before a value, and the value, in YAML, JSON, INI, shell and the like.
_VALUE = re.compile(r"(?P<name>[-+]\s*(?:export\s+|- )?(?:--?)?[\"']?[\w.-]*[\"']?\s*[:= ]?\s*)(?P<value>.*)")
_ADDRESS = re.compile(r"[-+]\s*(?:- )?[\"']?(?:https?://)?(?:\d{1,3}\.){3}\d{1,3}:\d{1,5}[\"']?,?")
_BETWEEN = re.compile(r"[\s,;\[\]{}\"']+")
# true, 30s, https, 198.18.0.1:2379, https://etcd1.corp.example:2379/v3, /etc/patroni/ca.pem
_HARMLESS = re.compile(
    r"true|false|yes|no|on|off|null|~|https?|\d{1,9}(?:ms|s|m|h)"
    r"|(?:https?://)?(?:\[[0-9a-fA-F:.]+\]|(?:\d{1,3}\.){3}\d{1,3}|[A-Za-z][\w-]*(?:\.[\w-]+)*)(?::\d{1,5})(?:/v[23])?/?"
    r"|/[\w./@%+-]*\.(?:pem|crt|cert|cer|key|conf|ya?ml|json|toml)|/[\w.-]+(?:/[\w.-]+){0,3}"
)


def paths(target: Target) -> tuple[str, ...]:
    """Return the files of all clients on a host that are moved."""
    return tuple(file.path for unit in units(target) for file in unit.files)


def units(target: Target) -> tuple[ClientUnit, ...]:
    """Return the clients on a host that are moved."""
    return target.cluster.clients.units_on(target.name)


def planned(
    target: Target, lying: Mapping[str, OnHost], texts: Mapping[str, str]
) -> tuple[tuple[ClientFile, ...], tuple[str, ...]]:
    """Return the files as they were found, and why others cannot be replaced, each with what helps.

    ``texts`` are those that everybody on the host may read.
    """
    found, faults = [], []
    for unit in units(target):
        for file in unit.files:
            there = lying.get(file.path)
            reasons = tuple(_hindrances(there))
            faults += [f"client {unit.unit}: {file.path} {reason}" for reason in reasons]
            if there is not None and not reasons:
                found.append(_found(file.path, there, content(file.content_for(target.name)), texts))
    return tuple(found), tuple(faults)


def content(path: Path) -> str:
    """Return a new content; RefusedError if it cannot be read."""
    try:
        text = read_plain(path, LIMIT_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is no text" if isinstance(error, UnicodeDecodeError) else error
        raise RefusedError(f"nothing was changed: {path}: {reason}") from error
    if len(text.encode()) > LIMIT_BYTES:
        raise RefusedError(f"nothing was changed: {path}: it is larger than {LIMIT_BYTES >> 20} MiB")
    return text


def move(target: Target) -> Iterable[Operation]:
    """Give each client its new files, and have it read them."""
    for unit in units(target):
        yield from _read_anew(unit, list(_replaced(target, unit)), "try-restart")


def move_back(target: Target) -> Iterable[Operation]:
    """Give each client back what stood in its files, and have it read them; one that died of ours starts."""
    for unit in reversed(units(target)):
        yield from _read_anew(unit, list(_given_back(target, unit)), "restart")


def _given_back(target: Target, unit: ClientUnit) -> Iterable[ReplaceFile]:
    """What stood in the files is kept on the host: the new content need not be there any more."""
    found = {file.path: file for file in target.client_files}
    for file in reversed(unit.files):
        yield from (one.undone for one in _replacing(found[file.path], None))


def _replaced(target: Target, unit: ClientUnit) -> Iterable[ReplaceFile]:
    found = {file.path: file for file in target.client_files}
    for file in unit.files:
        before, text = found[file.path], content(file.content_for(target.name))
        if _sha256(text) != before.replaced_sha256:
            raise RefusedError(f"nothing was changed: {file.content_for(target.name)} was changed by now")
        yield from _replacing(before, Secret(text))


def _replacing(file: ClientFile, content: Secret | None) -> Iterable[ReplaceFile]:
    """Replace a file, unless it holds the new content already: it may have been moved by hand."""
    if file.sha256 != file.replaced_sha256:
        yield ReplaceFile(file.path, content, file.sha256, file.replaced_sha256, file.differs)


def _read_anew(unit: ClientUnit, replaced: list[ReplaceFile], restart: str) -> Iterable[Operation]:
    if not replaced:
        return
    yield from replaced
    name = f"{unit.unit}.service"
    if any("/systemd/" in one.path for one in replaced):
        yield Run(("systemctl", "daemon-reload"))
    yield from _shell(unit.before)
    if unit.restart == "restart":
        yield Run(("systemctl", restart, name))
    if unit.restart == "reload":
        yield Run(("systemctl", "reload" if restart == "try-restart" else "reload-or-restart", name))
    yield from _shell(unit.after)


def _shell(command: str | None) -> Iterable[Operation]:
    if command:
        yield Run(("sh", "-c", command))


def _hindrances(found: OnHost | None) -> Iterable[str]:
    """Say why a file is not to be replaced, each reason with what helps."""
    if found is None:
        yield "is not there: write the path of a file that the client has into the plan (clients.units)"
        return
    if found.link:
        yield f"is a link: write the path that it leads to into the plan (clients.units): {found.link}"
    if found.untrusted:
        yield f"lies where others than root may write ({found.untrusted}): let its directory be root's own"


def _found(path: str, there: OnHost, text: str, texts: Mapping[str, str]) -> ClientFile:
    return ClientFile(
        path=path,
        sha256=there.sha256,
        replaced_sha256=_sha256(text),
        mode=there.mode,
        owner=there.owner,
        group=there.group,
        differs=tuple(_differences(there, texts.get(path), text)),
    )


def _differences(there: OnHost, old: str | None, new: str) -> Iterable[str]:
    """Say how two contents differ, without what may be secret and what not everybody may read."""
    how = f"{there.mode:04o} {there.owner}:{there.group}"
    if there.sha256 == _sha256(new):
        return
    if old is None or _sha256(old) != there.sha256:
        yield f"(what differs is not shown: not everybody may read the file, {how})"
        return
    sides = [secret_values.without(text)[0].splitlines() for text in (old, new)]
    found = list(difflib.unified_diff(sides[0], sides[1], lineterm="", n=0))[2:]
    lines = [line if line.startswith("@@") else without_value(line) for line in found]
    yield from lines[:MOST_LINES] or ["(only values differ that may be secret, and are not shown)"]
    if lines[MOST_LINES:]:
        yield f"(and {len(lines) - MOST_LINES} more lines)"


def without_value(line: str) -> str:
    """Return a changed line without its value, unless that is of a kind that is no secret.

    Nobody knows all the words by which files of others call their secrets.
    """
    if _ADDRESS.fullmatch(line):
        return line
    match = _VALUE.fullmatch(line)
    is_named = match is not None and (match["name"].rstrip()[-1:] in "-+=:" or bool(match["value"]))
    if match and is_named and all(map(_HARMLESS.fullmatch, filter(None, _BETWEEN.split(match["value"])))):
        return line
    return f"{match['name'] if match and is_named else line[:1]}..."


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
