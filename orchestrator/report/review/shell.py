"""An operation as shell commands that a person pastes on its host as root; no secret is in them."""

import posixpath
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from orchestrator.host import places
from orchestrator.host.operations import (
    EditFile,
    MakeDirectory,
    Operation,
    Remove,
    RemoveDirectory,
    ReplaceFile,
    Run,
    Secret,
    Write,
)
from orchestrator.plan.facts import Target

_PEM = "/-----BEGIN .*PRIVATE KEY-----/,/-----END .*PRIVATE KEY-----/p"


def brought(operation: Operation, target: Target) -> Sequence[str]:
    """Return the commands for this machine that bring a file's secret content to the host."""
    path = source(operation, target)
    if path is None:
        return ()
    read = "cat" if isinstance(operation, ReplaceFile) else f"sed -n {shlex.quote(_PEM)}"
    become = "" if target.host.ssh.become == "none" else f"{target.host.ssh.become} "
    there = f"{become}sh -c {shlex.quote(f'umask 077; cat > {shlex.quote(_carried(operation))}')}"
    return (f"{read} {shlex.quote(str(path))} |", f"  {shlex.join((*login(target), there))}")


def source(operation: Operation, target: Target) -> Path | None:
    """Return the file on this machine that holds a secret content, if the operation has one."""
    if isinstance(operation, Write) and isinstance(operation.content, Secret):
        return target.etcd.key
    if isinstance(operation, ReplaceFile) and operation.content is not None:
        units = target.cluster.clients.units_on(target.name)
        files = (file for unit in units for file in unit.files if file.path == operation.path)
        return next(file.content_for(target.name) for file in files)
    return None


def login(target: Target) -> tuple[str, ...]:
    """Return the words of ssh that reach a host as the plan does."""
    way = target.host.ssh
    options = (
        *(("-F", str(way.config)) if way.config else ()),
        *(("-i", str(way.identity_file)) if way.identity_file else ()),
        *("-o", f"UserKnownHostsFile={way.known_hosts}"),
        *(("-J", str(way.jump)) if way.jump not in {None, "none"} else ()),
    )
    return ("ssh", *options, "-p", str(way.port), f"{way.user}@{way.host}")


def commands(operation: Operation) -> Iterable[str]:
    """Return the commands that do what the operation does; doing them twice does no harm."""
    match operation:
        case MakeDirectory(path, mode, owner, group):
            word = shlex.quote(path)
            yield f"[ -d {word} ] || install -d -m {mode:04o} -o {owner} -g {group} -- {word}"
        case Write():
            yield from _write(operation)
        case EditFile():
            yield from _edit(operation)
        case ReplaceFile():
            yield from _replace(operation)
        case Remove(path):
            yield f"rm -f -- {shlex.quote(path)}"
        case RemoveDirectory(path):
            word = shlex.quote(path)
            yield f"[ ! -d {word} ] || rmdir --ignore-fail-on-non-empty -- {word}"
        case Run(argv, environment):
            yield from _run(argv, environment)


def _write(operation: Write) -> Iterable[str]:
    sibling = _sibling(operation.path)
    owner = f"-m {operation.mode:04o} -o {operation.owner} -g {operation.group}"
    install = f"install -T {owner} --"
    if isinstance(operation.content, Secret):
        carried = shlex.quote(_carried(operation))
        yield f"{install} {carried} {sibling}"
        yield f"rm -f -- {carried}"
    else:
        yield from _given(operation.content, f"{install} /dev/stdin {sibling}")
    yield from _put(sibling, operation.path, operation.sha256)


def _given(text: str, command: str) -> Iterable[str]:
    """Give a text to a command; one whose last line has no end cannot stand in a here-document."""
    if not text.endswith("\n"):
        yield f"printf %s {shlex.quote(text)} | {command}"
        return
    lines, end = text.split("\n")[:-1], "END"
    while end in lines:
        end += "_"
    yield f"{command} <<'{end}'"
    yield from lines
    yield end


def _edit(operation: EditFile) -> Iterable[str]:
    word, sibling = shlex.quote(operation.path), _sibling(operation.path)
    yield _sum(operation.before, operation.path)
    yield f"cp --preserve=all -- {word} {sibling}"
    yield "{"
    read_bytes = 0
    for one in operation.edits:
        yield f"  tail -c +{read_bytes + 1} -- {word} | head -c {one.at_byte - read_bytes}"
        yield f"  printf %s {shlex.quote(one.new)}"
        read_bytes = one.at_byte + len(one.old.encode())
    yield f"  tail -c +{read_bytes + 1} -- {word}"
    yield f"}} >{sibling}"
    yield from _put(sibling, operation.path, operation.after)


def _replace(operation: ReplaceFile) -> Iterable[str]:
    word, sibling = shlex.quote(operation.path), _sibling(operation.path)
    kept = shlex.quote(f"{places.REPLACED}{operation.path}")
    yield _sum(operation.before, operation.path)
    if operation.content is None:
        yield f"cp --preserve=all -- {kept} {sibling}"
    else:
        yield f"(umask 077; mkdir -p -- {shlex.quote(posixpath.dirname(places.REPLACED + operation.path))})"
        yield f"cp --preserve=all -- {word} {kept}"
        yield f"cp --preserve=all -- {word} {sibling}"
        yield f"cat -- {shlex.quote(_carried(operation))} >{sibling}"
        yield f"rm -f -- {shlex.quote(_carried(operation))}"
    yield from _put(sibling, operation.path, operation.after)


def _put(sibling: str, path: str, sha256: str) -> Iterable[str]:
    yield f"mv -T -- {sibling} {shlex.quote(path)}"
    yield _sum(sha256, path)


def _sum(sha256: str, path: str) -> str:
    return f"echo {shlex.quote(f'{sha256}  {path}')} | sha256sum -c --quiet -"


def _run(argv: Sequence[str], environment: Sequence[tuple[str, str | Secret]]) -> Iterable[str]:
    for name, value in environment:
        if isinstance(value, Secret):
            yield f': "${{{name}:?type it first: IFS= read -rs {name}; export {name}}}"'
    words = [f"{name}={shlex.quote(value)}" for name, value in environment if isinstance(value, str)]
    yield " ".join((*words, shlex.join(argv)))


def _carried(operation: Operation) -> str:
    """Return where a secret content lies on the host until it is put in its place: in memory, for root."""
    path = operation.path if isinstance(operation, Write | ReplaceFile) else ""
    return f"/run/by-hand-{posixpath.basename(path)}"


def _sibling(path: str) -> str:
    folder, name = posixpath.split(path)
    return shlex.quote(f"{folder}/.{name}.by-hand")
