"""The operator's own files, edited in place: which ones, with which edits, and what forbids that; pure.

A run brings about everything with files of ours first. Only once a host is sealed do its own files come to
say the same, so that ours can go.
"""

import hashlib
import posixpath
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace

from orchestrator.etcd.facts.own_files import OnHost
from orchestrator.etcd.install import command as commands
from orchestrator.etcd.install import config_file, edits, said, theirs
from orchestrator.etcd.install.composed import Composed
from orchestrator.etcd.install.edits import Span
from orchestrator.etcd.install.theirs import Place
from orchestrator.etcd.install.unit import Unit
from orchestrator.host.operations import EditFile
from orchestrator.plan.facts import OwnFile, Target
from orchestrator.text import shown

Texts = Mapping[str, str]
BESIDE = "leave 'persist' out of the plan, and ours lie beside yours"
_PACKAGES = ("/usr/lib/", "/usr/share/", "/lib/")
_UNITS = ("/usr/lib/systemd/system", "/lib/systemd/system")
_OTHERS_WRITE = 0o022


def needed(target: Target, read: Unit, configurations: Texts) -> tuple[Place, ...]:
    """Return the places that have to say something else for the host to need nothing of ours.

    A line that a later one overrides counts for nothing, so a package's file may keep it.
    """
    alone = said.without(read, Composed(target).paths)
    counts = {one.name: one for one in said.said(alone, configurations)}

    def is_needed(place: Place) -> bool:
        if place.changes and not place.path.startswith(_PACKAGES):
            return True
        for name, value in place.settings.items():
            one = counts.get(name)
            if one is None or (one.path == place.path and one.value != value):
                return True
        return False

    return tuple(filter(is_needed, theirs.places(target, read, configurations)))


def planned(
    target: Target, read: Unit, configurations: Texts, lying: Mapping[str, OnHost]
) -> tuple[tuple[OwnFile, ...], tuple[str, ...]]:
    """Return the files with their edits, and why others cannot be edited, each with what helps."""
    by_path: dict[str, list[Place]] = {}
    for place in needed(target, read, configurations):
        by_path.setdefault(place.path, []).append(place)
    read = said.without(read, Composed(target).paths)
    texts = _texts(read, configurations)
    found, faults = [], []
    for path, places in by_path.items():
        reasons = [*_hindrances(target, read, path, lying.get(path))]
        if not reasons:
            try:
                found.append(_planned(read, texts.get(path, ""), places, lying[path]))
            except ValueError as error:
                reasons = [f"cannot be edited exactly ({error}): {BESIDE}"]
        faults += [f"persist in_place: {shown(path, quote='')} {reason}" for reason in reasons]
    if not faults:
        faults = [*_verified(target, read, configurations, found)]
    return tuple(found), tuple(faults)


def edit(file: OwnFile) -> EditFile:
    """Return what edits a file."""
    return EditFile(file.path, file.edits, file.sha256, file.edited_sha256)


def as_found(target: Target, read: Unit, configurations: Texts) -> tuple[Unit, Texts]:
    """Return what the unit would read with their files put back as they were, where we have edited them."""
    texts = _texts(read, configurations)
    changed = {
        file.path: _applied(edit(file).undone, text)
        for file in target.found.own_files
        if _sha256(text := texts.get(file.path, "")) == file.edited_sha256
    }
    return _with(read, changed), {**configurations, **_only(configurations, changed)}


def _hindrances(target: Target, read: Unit, path: str, found: OnHost | None) -> Iterable[str]:
    """Say why a file is not to be edited, each reason with what helps."""
    service, word = target.etcd.service, shlex.quote(path)
    if path.startswith(_PACKAGES):
        own = f"/etc/systemd/system/{posixpath.basename(path)}"
        is_unit = posixpath.dirname(path) in _UNITS
        copied = (
            f"put a copy of your own before it (cp {word} {shlex.quote(own)} && systemctl daemon-reload), or "
        )
        yield f"is a package's, and its next update writes it anew: {copied if is_unit else ''}{BESIDE}"
    elif path.startswith("/run/"):
        yield f"is made anew at each boot: {BESIDE}"
    elif found is None:
        yield f"is not there, so that there is nothing to edit: {BESIDE}"
    else:
        yield from _of_lying(service, read, path, found)


def _of_lying(service: str | None, read: Unit, path: str, found: OnHost) -> Iterable[str]:
    word = shlex.quote(path)
    if found.link:
        link = shown(found.link, quote="")
        instead = f"cp --remove-destination {shlex.quote(found.link)} {word}"
        yield f"is a link to {link}: put a file of its own in its place ({instead}), or {BESIDE}"
    if found.owner != "root" or found.mode & _OTHERS_WRITE:
        how = f"{found.mode:04o} {found.owner}:{found.group}"
        yield f"is not root's own ({how}): chown root {word} && chmod go-w {word}, or {BESIDE}"
    if found.untrusted:
        yield f"lies where others than root may write ({found.untrusted}): {BESIDE}"
    units = [*_sharing(read, path, found)]
    if units:
        named = ", ".join(units)
        yield f"is read by other units too ({named}): give {service} a file of its own, or {BESIDE}"


def _sharing(read: Unit, path: str, found: OnHost) -> Iterable[str]:
    """Name who else reads a file: units that name it, and all instances of a template."""
    own = {_without_usr(each) for each in (read.properties.get("FragmentPath", ""), *read.drop_ins)}
    yield from dict.fromkeys(shown(each, quote="") for each in found.named if _without_usr(each) not in own)
    folder = posixpath.basename(posixpath.dirname(path))
    unit = folder.removesuffix(".d") if folder.endswith(".service.d") else posixpath.basename(path)
    if unit.endswith(("@.service", "-.service")) or folder == "service.d":
        yield f"every unit of {unit if folder != 'service.d' else 'any service'}"


def _without_usr(path: str) -> str:
    return path.removeprefix("/usr") if path.startswith("/usr/lib/") else path


def _planned(read: Unit, text: str, places: Iterable[Place], found: OnHost) -> OwnFile:
    if _sha256(text) != found.sha256:
        raise ValueError("it cannot be read whole: it is larger than 64 KiB, or was changed just now")
    places = tuple(places)
    path = places[0].path
    made = edits.made(text, [span for place in places for span in _spans(read, text, place)])
    return OwnFile(
        path=path,
        sha256=found.sha256,
        edited_sha256=_sha256(_applied(EditFile(path, made, "", ""), text)),
        mode=found.mode,
        owner=found.owner,
        group=found.group,
        edits=made,
    )


def _spans(read: Unit, text: str, place: Place) -> Iterable[Span]:
    match place.carrier:
        case "line":
            return edits.of_lines(text, place.settings)
        case "file":
            return edits.of_file(text, place.settings)
        case "key":
            return config_file.spans(text, place.settings)
        case "flag":
            path, command, _ = said.command(read) or ("", "", ())
            if path == place.path:
                return edits.of_command(text, place.settings)
            words = (word.text for word in commands.words(command))
            return edits.of_variable(
                text, place.settings, (word.strip("${}") for word in words if "$" in word)
            )


def _verified(target: Target, read: Unit, configurations: Texts, found: Iterable[OwnFile]) -> Iterable[str]:
    """Say what the files would not say once they are edited: it is read out of them, as etcd will read it."""
    texts = _texts(read, configurations)
    changed = {file.path: _applied(edit(file), texts[file.path]) for file in found}
    theirs_now = {**configurations, **_only(configurations, changed)}
    final, after = Composed(target).final, said.said(_with(read, changed), theirs_now)
    last = {one.name: one for one in after}
    for name, value in final.items():
        one = last.get(name)
        if one is None or one.value != value or not one.is_plain:
            where = f"{shown(one.path, quote='')}:{one.line}" if one else "no file"
            yield f"persist in_place: {name} would still be what {where} says, not {value}: {BESIDE}"


def _texts(read: Unit, configurations: Texts) -> Texts:
    """Every file that the unit reads, by its path."""
    return {**read.texts, **read.files, **configurations}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _applied(edited: EditFile, text: str) -> str:
    return edited.applied(text.encode(errors="surrogateescape")).decode(errors="surrogateescape")


def _with(read: Unit, changed: Texts) -> Unit:
    return replace(
        read,
        fragment=changed.get(read.properties.get("FragmentPath", ""), read.fragment),
        drop_ins={**read.drop_ins, **_only(read.drop_ins, changed)},
        files={**read.files, **_only(read.files, changed)},
    )


def _only(there: Texts, changed: Texts) -> Texts:
    return {path: text for path, text in changed.items() if path in there}
