"""The known_hosts file, read strictly: which keys a host may show, and why any other is refused."""

import base64
import binascii
import hashlib
import shlex
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from orchestrator.plan.locations import read_plain
from orchestrator.remote.host_patterns import matches
from orchestrator.text import escaped

_MAX_BYTES = 16 << 20  # some 100,000 lines, which take a second
_NAMED_LINES = 5  # of those that cannot be read


class Mark(Enum):
    """What a line says about its key."""

    HOST = ""
    REVOKED = "@revoked"
    AUTHORITY = "@cert-authority"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key: its type, e.g. ``ssh-ed25519``, and the blob that goes over the wire."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 as OpenSSH prints it: ``SHA256:`` and base64 without padding."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


class Place(Protocol):
    """Where a host is dialled, and its name in the file: ``host``, or ``[host]:port`` off port 22."""

    @property
    def host(self) -> str:
        """Address."""

    @property
    def port(self) -> int:
        """TCP port."""

    @property
    def known_as(self) -> str:
        """Name in the file, in lower case."""

    @property
    def is_behind(self) -> bool:
        """Whether it can be reached by way of another one only."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that could be read; ``hosts`` is its first field."""

    path: Path
    number: int
    mark: Mark
    hosts: str
    key: HostKey


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """The lines of known_hosts files; ``malformed`` holds the numbers of those that cannot be read.

    ``path`` is the first file, where a new key belongs.
    """

    path: Path
    lines: tuple[Line, ...]
    malformed: tuple[int, ...]

    def kinds(self, name: str) -> frozenset[str]:
        """Key types that are known under a name, so that the host can be asked for one of them."""
        return frozenset(line.key.kind for line in self._matching(name) if line.mark is Mark.HOST)

    def refusal(self, at: Place, offered: HostKey) -> str | None:
        """Return None if the offered key is the host's own, else why it is not trusted and what to do."""
        lines = self._matching(at.known_as)
        shown = f"{at.host}:{at.port} offers the {escaped(offered.kind)} key {offered.fingerprint}"
        revoked = self.revoked(at.known_as, offered)
        known = [line for line in lines if line.mark is Mark.HOST]
        if revoked:
            return f"{shown}, which {revoked} revokes: do not connect to this host"
        if any(line.key == offered for line in known):
            return None
        if known:
            return f"{shown}, but {self._expected(known, offered)}. {self._compare(at, offered)}"
        if any(line.mark is Mark.AUTHORITY for line in lines):
            return (
                f"{shown}, and {self.path} knows only a certificate authority for it, which does not vouch "
                f"for this key. {self._compare(at, offered)}"
            )
        return f"{shown}, and {self._absent()}. {self._compare(at, offered)}"

    def authorities(self, name: str) -> frozenset[HostKey]:
        """Return the keys that may sign certificates of hosts of that name."""
        return frozenset(line.key for line in self._matching(name) if line.mark is Mark.AUTHORITY)

    def is_new(self, name: str, offered: HostKey) -> bool:
        """Whether nothing is known under that name, for or against it: the key may be accepted."""
        return not self.kinds(name) and not self.revoked(name, offered)

    def revoked(self, name: str, key: HostKey) -> str:
        """Return ``FILE:LINE`` of the line that revokes a key, or nothing."""
        lines = (line for line in self._matching(name) if line.mark is Mark.REVOKED and line.key == key)
        return next((f"{line.path}:{line.number}" for line in lines), "")

    def _matching(self, name: str) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if matches(line.hosts, name))

    def _expected(self, known: list[Line], offered: HostKey) -> str:
        same_kind = [line for line in known if line.key.kind == offered.kind]
        keys = ", ".join(
            f"{escaped(line.key.kind)} {line.key.fingerprint} ({self._place(line)})"
            for line in same_kind or known
        )
        if not same_kind:
            return f"{self.path} knows it by another type of key only: {keys}"
        numbers: dict[Path, list[str]] = {}
        for line in same_kind:
            numbers.setdefault(line.path, []).append(f"{line.number}d")
        out = "; ".join(
            f"sed -i '{';'.join(each)}' {shlex.quote(str(path))}" for path, each in numbers.items()
        )
        return (
            f"{self.path} knows it by {keys}: the host key HAS CHANGED. "
            "Either the host was installed anew, or somebody stands between us and it. "
            f"If you know that the change is right, take the old key out first: {out}"
        )

    def _place(self, line: Line) -> str:
        return f"line {line.number}" if line.path == self.path else f"{line.path}:{line.number}"

    def _absent(self) -> str:
        if not self.path.exists():
            return f"{self.path} does not exist"
        skipped = ", ".join(map(str, self.malformed[:_NAMED_LINES]))
        more = len(self.malformed) - _NAMED_LINES
        skipped += f" and {more} more" if more > 0 else ""
        return f"{self.path} does not know this host" + (f" (unreadable lines: {skipped})" if skipped else "")

    def _compare(self, at: Place, offered: HostKey) -> str:
        parent = self.path.parent
        make = "" if parent.is_dir() else f"mkdir -p {shlex.quote(str(parent))} && "
        name = offered.kind.removeprefix("ssh-").removeprefix("ecdsa-sha2-")
        name = "ecdsa" if name.startswith("nistp") else name
        file = shlex.quote(str(self.path))
        add = f"{make}ssh-keyscan -t {name} -p {at.port} {shlex.quote(at.host)} >> {file}"
        if at.is_behind:
            add = "orchestrator hostkeys PLAN"
        return (
            f"Compare with the fingerprint on the host's own console: "
            f"ssh-keygen -lf /etc/ssh/ssh_host_{name}_key.pub; only if it is the same, add the key: "
            f"{add}"
        )


def read_known_hosts(path: Path, *others: Path) -> KnownHosts:
    """Read the files, those that exist; OSError if one is no plain file that can be read.

    A file has a line or more for each host, and each host asks: it is read again only if it has changed.
    """
    places = (path, *others)
    return _read(places, tuple(map(_version, places)))


def _version(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@lru_cache(maxsize=8)
def _read(places: tuple[Path, ...], _versions: tuple[tuple[int, ...], ...]) -> KnownHosts:
    path = places[0]
    lines: list[Line] = []
    malformed: list[int] = []
    for place in places:
        for number, content in enumerate(_text(place).split("\n"), start=1):
            if not content.strip() or content.lstrip().startswith("#"):
                continue
            try:
                lines.append(_read_line(place, number, content.split()))
            except (ValueError, binascii.Error):
                malformed += [number] if place == path else []
    return KnownHosts(path, tuple(lines), tuple(malformed))


def _text(path: Path) -> str:
    try:
        content = read_plain(path, _MAX_BYTES + 1)
    except FileNotFoundError:
        return ""
    if len(content) > _MAX_BYTES:
        raise OSError(0, f"it is larger than {_MAX_BYTES >> 20} MiB")
    return content.decode(errors="replace")


def _read_line(path: Path, number: int, fields: list[str]) -> Line:
    mark = Mark(fields.pop(0)) if fields[0].startswith("@") else Mark.HOST
    hosts, kind, encoded = fields[:3]
    blob = base64.b64decode(encoded, validate=True)
    size = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + size] != kind.encode():
        raise ValueError(f"line {number}: the key is not of type {kind}")
    return Line(path, number, mark, hosts, HostKey(kind, blob))
