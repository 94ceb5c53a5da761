"""What a host has beside its unit's texts that starting the same etcd elsewhere needs; and whole files."""

import base64
import binascii
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from orchestrator.host.questions import Answer, Download, Fact, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import TEXT_LIMIT, Target
from orchestrator.plan.layout import Folder, Program
from orchestrator.text import one_line, shown

_SHA256 = re.compile(r"[0-9a-f]{64}")

# $1 service, then paths, then "--" and DNS names. For a path: what it leads to if it is a link, and what lies
# there: a file with its mode, owner, group and size, or a directory. etcd's programs with their digests.
SCRIPT = """
systemctl show --property=Id,Names,FragmentPath "$1.service" || exit
pid=$(systemctl show --property=MainPID --value "$1.service") || exit
if [ "${pid:-0}" -gt 0 ]; then
  printf 'cwd=%s\\n' "$(readlink "/proc/$pid/cwd")"
  etcd=$(readlink "/proc/$pid/exe")
  printf 'etcd=%s\\n' "${etcd% (deleted)}"
fi
lies() {
  real=$(readlink -f -- "$1") || return
  [ "$real" = "$1" ] || printf 'link=%s\\t%s\\n' "$real" "$1"
  if [ -d "$real" ]; then
    printf 'folder=%s %s\\n' "$(stat -c '%a %U %G' -- "$real")" "$real"
  elif [ -f "$real" ]; then
    printf 'file=%s %s\\n' "$(stat -c '%a %U %G %s' -- "$real")" "$real"
  fi
}
for path in "${etcd% (deleted)}" "$(command -v etcdctl)" "$(command -v etcdutl)"; do
  [ -f "$path" ] || continue
  lies "$path"
  sum=$(sha256sum < "$path") && printf 'program=%s %s\\n' "${sum%% *}" "$(readlink -f -- "$path")"
done
shift
for path; do
  shift
  [ "$path" != -- ] || break
  lies "$path"
done
for name; do
  printf 'name=%s %s\\n' "$(getent ahosts "$name" | head -n 1 | cut -d ' ' -f 1)" "$name"
done
for address in $(hostname -I); do printf 'address=%s\\n' "$address"; done
printf 'machine=%s\\n' "$(uname -m)"
"""

# $1 path, $2 how many bytes of it.
BEGINNING = """
head -c "$2" -- "$1" | base64 -w0
"""
WHOLE = 'exec cat -- "$1"'
MOST_BYTES = 256 << 20  # etcd's programs have about 25 MB
WITHIN_S = 600.0


@dataclass(frozen=True, slots=True)
class Lying:
    """A file's mode, owner, group and size in bytes."""

    mode: int
    owner: str
    group: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Around:
    """What lies around a unit. ``unit`` is its own name, ``names`` are all of them.

    ``links`` lead from paths to where the file really lies, ``files`` are by those. ``resolved`` are DNS
    names with the addresses that they have on this host. ``machine`` is the processor's family.
    """

    unit: str
    names: tuple[str, ...]
    fragment: str
    cwd: str
    etcd: str
    programs: tuple[Program, ...]
    links: Mapping[str, str]
    files: Mapping[str, Lying]
    folders: tuple[Folder, ...]
    resolved: Mapping[str, str]
    addresses: tuple[str, ...]
    machine: str


def around(target: Target, paths: Iterable[str], names: Iterable[str]) -> Fact[Around]:
    """What lies around the host's unit: at these paths, under its programs, behind these DNS names."""
    return Fact(Script(target.name, SCRIPT, (target.etcd.service, *paths, "--", *names), 30.0), _around)


def small_file(host: str, path: str) -> Fact[bytes]:
    """What stands in a file, if it is no larger than a text may be; else its beginning."""
    return Fact(Script(host, BEGINNING, (path, str(TEXT_LIMIT))), _small)


def copied(host: str, program: Program, into: Path) -> Download:
    """A program's content, for a file here."""
    return Download(host, WHOLE, (program.path,), into, MOST_BYTES, WITHIN_S)


def _around(answer: Answer) -> Around:
    several: dict[str, list[str]] = {}
    for key, value in answer.pairs:
        several.setdefault(key, []).append(value)
    single = {key: values[0] for key, values in several.items()}
    placed = [(line.split(" ", 4)) for line in several.get("file", ())]
    folders = [(line.split(" ", 3)) for line in several.get("folder", ())]
    links = [line.split("\t", 1) for line in several.get("link", ())]
    programs = [line.split(" ", 1) for line in several.get("program", ())]
    names = [line.rpartition(" ") for line in several.get("name", ())]
    return Around(
        unit=one_line(single["Id"], "a unit's name", 255),
        names=tuple(one_line(name, "a unit's name", 255) for name in single["Names"].split()),
        fragment=single["FragmentPath"] and _path(single["FragmentPath"]),
        cwd=_path(single.get("cwd", "/")),
        etcd=_path(single.get("etcd", "/")),
        programs=tuple(dict.fromkeys(Program(_path(path), _digest(sha256)) for sha256, path in programs)),
        links={_path(path): _path(real) for real, path in links},
        files={
            _path(path): Lying(
                foreign.mode(mode),
                foreign.account(owner),
                foreign.account(group),
                foreign.number(size, "a size"),
            )
            for mode, owner, group, size, path in placed
        },
        folders=tuple(
            Folder(_path(path), foreign.mode(mode), foreign.account(owner), foreign.account(group))
            for mode, owner, group, path in folders
        ),
        resolved={name: str(ip_address(address)) for address, _, name in names if address},
        addresses=tuple(str(ip_address(address)) for address in several.get("address", ())),
        machine=one_line(single.get("machine", ""), "a machine", 64),
    )


def _small(answer: Answer) -> bytes:
    try:
        return base64.b64decode(answer.text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"a file is garbled: {error}") from error


def _path(text: str) -> str:
    """Return a path from the root on, without any '..'."""
    one_line(text, "a path")
    if not text.startswith("/") or text.startswith("//") or posixpath.normpath(text) != text:
        raise ValueError(f"{shown(text)} is no whole path")
    return text


def _digest(text: str) -> str:
    if not _SHA256.fullmatch(text):
        raise ValueError("a digest has 64 hex digits")
    return text
