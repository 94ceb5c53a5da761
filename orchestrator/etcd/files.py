"""The files that the migration puts on a host, and how they are found there again."""

import base64
import hashlib
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from orchestrator.errors import RefusedError
from orchestrator.etcd.settings import Paths
from orchestrator.host.checks import Remark, changed, wrong
from orchestrator.host.operations import Operation, Remove, Secret, Write
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.pki import pem, reading
from orchestrator.pki.pem import PemError
from orchestrator.plan import foreign
from orchestrator.plan.facts import TEXT_LIMIT, FoundFile, Target

# One line a file: mode, owner, group, SHA-256, whether the service's user can read it, and the path. What is
# no file (a directory, a pipe, a link to nowhere) has '-' for a digest: it is something else than ours.
# The user's rights are asked for once: a session of its own costs as much as all the rest.
SCRIPT = r"""
user=$1
shift
readable=$(runuser -u "$user" -- sh -c 'for path; do [ ! -r "$path" ] || printf "%s\n" "$path"; done' _ "$@")
end='
'
say() {
  case "$end$readable$end" in
    *"$end$path$end"*) can=readable ;;
    *) can=unreadable ;;
  esac
  printf '%s %s %s %s\n' "$1" "$2" "$can" "$path"
}
for path; do
  shift
  if [ -f "$path" ]; then
    set -- "$@" "$path"
  elif [ -e "$path" ] || [ -L "$path" ]; then
    how=$(stat -c '%a %U %G' -- "$path") || exit 1
    say "$how" -
  fi
done
[ "$#" -gt 0 ] || exit 0
sums=$(sha256sum -- "$@") && hows=$(stat -L -c '%a %U %G' -- "$@") || exit 1
for path; do
  sum=${sums%%"$end"*} how=${hows%%"$end"*}
  sums=${sums#*"$end"} hows=${hows#*"$end"}
  sum=${sum#"\\"}  # it stands before the digest of a file whose name has one
  say "$how" "${sum%% *}"
done
exit 0
"""

# $1 the limit in bytes: what stands in each file that is no larger, if everybody may read it. BASE64 PATH
TEXTS = """
limit=$1
shift
for path; do
  [ -f "$path" ] && [ "$(stat -L -c %s -- "$path")" -le "$limit" ] || continue
  case $(stat -L -c %a -- "$path") in
    *[4567]) printf '%s %s\\n' "$(base64 -w0 < "$path")" "$path" ;;
  esac
done
exit 0
"""
_KEY = "PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class Lying:
    """A file as it lies on a host."""

    file: FoundFile
    is_readable: bool


def material(target: Target) -> tuple[Write, ...]:
    """CA, certificate and key of one member, as they are put on its host.

    Only the key is the service's user's. What everybody may read holds certificates and nothing else,
    whatever else is in the files that the plan names. RefusedError if one of those cannot be read.
    """
    paths, user, group = Paths.of(target), target.found.user, target.found.group
    member = target.etcd
    return (
        Write(paths.ca, certificates_of(target.cluster.tls.ca)),
        Write(paths.certificate, certificates_of(member.certificate)),
        Write(paths.key, Secret(_read(member.key, reading.private_pem)), 0o600, user, group),
    )


def certificates_of(path: Path) -> str:
    """Return the text of a file's certificates; RefusedError if it cannot be read."""
    return _read(path, pem.certificates)


def _read(path: Path, read: Callable[[Path], str]) -> str:
    try:
        return read(path)
    except (PemError, OSError) as error:
        raise RefusedError(f"nothing was changed: {path}: {error}") from error


def lying(target: Target, paths: Iterable[str]) -> Fact[Mapping[str, Lying]]:
    """Which of these files lie on the host, and how, by path; a file that is missing is missing here too."""
    reader = target.found.user if target.runs_etcd else "root"  # a client's user is nobody's business here
    wanted = tuple(dict.fromkeys(paths))
    return Fact(Script(target.name, SCRIPT, (reader, *wanted), shares=1), partial(_lying, wanted))


def _lying(wanted: Container[str], answer: Answer) -> Mapping[str, Lying]:
    found = {}
    for line in answer.text.splitlines():
        mode, owner, group, sha256, can, path = line.split(" ", 5)
        file = FoundFile(sha256=sha256, mode=foreign.mode(mode), owner=owner, group=group)
        if path in wanted:  # others asked about theirs by the same question
            found[path] = Lying(file, can == "readable")
    return found


def differences(wanted: Iterable[Write], there: Mapping[str, Lying]) -> Iterable[Remark]:
    """Say what is not as wanted."""
    for item in wanted:
        found = there.get(item.path)
        if found is None:
            yield changed(item.path, "is missing")
            continue
        file = found.file
        if file.sha256 != item.sha256:
            yield changed(item.path, "has another content")
        if (file.mode, file.owner, file.group) != (item.mode, item.owner, item.group):
            yield changed(
                item.path,
                f"is {file.mode:04o} {file.owner}:{file.group}, "
                f"not {item.mode:04o} {item.owner}:{item.group}",
            )
        if not found.is_readable:
            yield changed(item.path, "is not readable by the service's user")


def changes(target: Target, paths: Iterable[str], there: Mapping[str, Lying]) -> Iterable[Remark]:
    """Say which files are not as they were found before the first change."""
    for path in paths:
        before, now = target.found.files.get(path), there.get(path)
        if now is not None and before is None:
            yield changed(path, "was not there before the first change")
        if before is not None and (now is None or now.file.sha256 != before.sha256):
            yield changed(path, "is not as it was before the first change")


def own(target: Target, there: Mapping[str, Lying], *, are_edited: bool) -> Iterable[Remark]:
    """Say which of the operator's own files are not as they were found, or not as a run has edited them."""
    for file in target.found.own_files:
        now = there.get(file.path)
        if now is None:
            yield changed(file.path, "is missing")
            continue
        how = (now.file.mode, now.file.owner, now.file.group)
        if now.file.sha256 != (file.edited_sha256 if are_edited else file.sha256):
            since = "the run has edited it" if are_edited else "the run began"
            yield changed(file.path, f"was changed since {since}")
        if how != (file.mode, file.owner, file.group):
            yield changed(file.path, f"is {how[0]:04o} {how[1]}:{how[2]}, which it was not")


def conflicts(wanted: Iterable[Write], there: Mapping[str, Lying]) -> Iterable[Remark]:
    """Say where something else lies: nothing of the operator's is ever overwritten."""
    for item in wanted:
        if item.path in there and there[item.path].file.sha256 != item.sha256:
            yield wrong(f"{item.path} holds something else: move it away first")


def texts(target: Target, paths: Iterable[str]) -> Fact[Mapping[str, str]]:
    """What stands in those of these files that are small, and that everybody may read; never a key."""
    return Fact(Script(target.name, TEXTS, (str(TEXT_LIMIT), *paths)), _texts)


def _texts(answer: Answer) -> Mapping[str, str]:
    found = {}
    for line in answer.text.splitlines():
        encoded, _, path = line.partition(" ")
        with suppress(UnicodeDecodeError):  # what is no text is not remembered
            text = base64.b64decode(encoded, validate=True).decode()
            if _KEY not in text:
                found[path] = text
    return found


def remembered(lying: Mapping[str, Lying], texts: Mapping[str, str]) -> Mapping[str, FoundFile]:
    """Return the files with what stands in them, where that was read of the very same file."""
    found = {}
    for path, each in lying.items():
        text = texts.get(path)
        is_same = text is not None and hashlib.sha256(text.encode()).hexdigest() == each.file.sha256
        found[path] = each.file.model_copy(update={"text": text}) if is_same else each.file
    return found


def undone(target: Target, path: str, ours: Write | None) -> Iterable[Operation]:
    """Remove what we put there, or put back what was there; a file that was the very same stays."""
    before = target.found.files.get(path)
    if before is None:
        yield Remove(path)
    elif ours is not None and before.sha256 != ours.sha256 and before.text is not None:
        yield Write(path, before.text, before.mode, before.owner, before.group)
