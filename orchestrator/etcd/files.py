"""The files that the migration puts on a host, and how they are found there again."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import RefusedError
from orchestrator.etcd.settings import Paths
from orchestrator.host.checks import Remark, changed, wrong
from orchestrator.host.operations import Operation, Remove, Secret, Write
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.pki import pem, reading
from orchestrator.pki.pem import PemError
from orchestrator.plan import foreign
from orchestrator.plan.facts import FoundFile, Subject

# One line a file: mode, owner, group, SHA-256, whether the service's user can read it, and the path. What is
# no file (a directory, a pipe, a link to nowhere) has '-' for a digest: it is something else than ours.
SCRIPT = """
user=$1
shift
for path; do
  if [ -f "$path" ]; then
    sum=$(sha256sum < "$path") || exit 1
    how=$(stat -L -c '%a %U %G' -- "$path") || exit 1
  elif [ -e "$path" ] || [ -L "$path" ]; then
    sum=-
    how=$(stat -c '%a %U %G' -- "$path") || exit 1
  else
    continue
  fi
  can=$(runuser -u "$user" -- test -r "$path" && echo readable || echo unreadable)
  printf '%s %s %s %s\\n' "$how" "${sum%% *}" "$can" "$path"
done
exit 0
"""


@dataclass(frozen=True, slots=True)
class Lying:
    """A file as it lies on a host."""

    file: FoundFile
    is_readable: bool


def material(subject: Subject) -> tuple[Write, ...]:
    """CA, certificate and key of one member, as they are put on its host.

    Only the key is the service's user's. What everybody may read holds certificates and nothing else,
    whatever else is in the files that the plan names. RefusedError if one of those cannot be read.
    """
    paths, user, group = Paths.of(subject), subject.found.user, subject.found.group
    member = subject.host
    return (
        Write(paths.ca, certificates_of(subject.cluster.tls.ca)),
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


def lying(subject: Subject, paths: Iterable[str]) -> Fact[Mapping[str, Lying]]:
    """Which of these files lie on the host, and how, by path; a file that is missing is missing here too."""
    return Fact(Script(subject.name, SCRIPT, (subject.found.user, *paths)), _lying)


def _lying(answer: Answer) -> Mapping[str, Lying]:
    found = {}
    for line in answer.text.splitlines():
        mode, owner, group, sha256, can, path = line.split(" ", 5)
        file = FoundFile(sha256=sha256, mode=foreign.mode(mode), owner=owner, group=group)
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


def changes(subject: Subject, paths: Iterable[str], there: Mapping[str, Lying]) -> Iterable[Remark]:
    """Say which files are not as they were found before the first change."""
    for path in paths:
        before, now = subject.found.files.get(path), there.get(path)
        if now is not None and before is None:
            yield changed(path, "was not there before the first change")
        if before is not None and (now is None or now.file.sha256 != before.sha256):
            yield changed(path, "is not as it was before the first change")


def conflicts(wanted: Iterable[Write], there: Mapping[str, Lying]) -> Iterable[Remark]:
    """Say where something else lies: nothing of the operator's is ever overwritten."""
    for item in wanted:
        if item.path in there and there[item.path].file.sha256 != item.sha256:
            yield wrong(f"{item.path} holds something else: move it away first")


def undone(subject: Subject, paths: Iterable[str]) -> Iterable[Operation]:
    """Remove what we put there; a file that lay there before, which had to be the very same, stays."""
    yield from (Remove(path) for path in paths if path not in subject.found.files)
