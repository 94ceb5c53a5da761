"""What can be done to a host, as values that can be printed, compared and hashed."""

import hashlib
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

_LAST_LINES, _LAST_CHARS = 5, 1000  # of what a job printed: a tool may print all of a file on one line


class Secret:
    """Text that must never be printed, e.g. a private key; it compares by content and prints ``***``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; only the script that goes over SSH may ask."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class MakeDirectory:
    """Make a directory if it is missing, with its parents; an existing one is left as it is."""

    path: str
    mode: int = 0o755
    owner: str = "root"
    group: str = "root"


@dataclass(frozen=True, slots=True)
class Write:
    """Put a file in place atomically (a sibling with its final owner and mode, synced, then renamed)."""

    path: str
    content: str | Secret
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"

    @property
    def text(self) -> str:
        """The content itself, a secret revealed."""
        return self.content.reveal() if isinstance(self.content, Secret) else self.content

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class Edit(NamedTuple):
    """A piece of a file that is replaced: the line in which it begins, its first byte, and both texts."""

    line: int
    at_byte: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class EditFile:
    """Replace pieces of a file that is somebody else's, atomically; its mode, owner and all else stay.

    Nothing is done to a file whose SHA-256 is neither ``before`` nor ``after``: somebody has changed it.
    """

    path: str
    edits: tuple[Edit, ...]
    before: str
    after: str

    @property
    def undone(self) -> Self:
        """What brings the file back, byte for byte."""
        grown_bytes, edits = 0, []
        for one in self.edits:
            edits.append(Edit(one.line, one.at_byte + grown_bytes, one.new, one.old))
            grown_bytes += len(one.new.encode()) - len(one.old.encode())
        return replace(self, edits=tuple(edits), before=self.after, after=self.before)

    def applied(self, content: bytes) -> bytes:
        """Return a content with the pieces replaced; ValueError if they do not stand there."""
        found, done = b"", 0
        for one in self.edits:
            end = one.at_byte + len(one.old.encode())
            if content[one.at_byte : end] != one.old.encode():
                raise ValueError(f"{self.path}: something else stands in line {one.line}")
            found += content[done : one.at_byte] + one.new.encode()
            done = end
        return found + content[done:]


@dataclass(frozen=True, slots=True)
class ReplaceFile:
    """Give a file that is somebody else's another content, atomically; its mode and owner stay.

    What stood in it is kept on the host, for root alone: without ``content``, that is put back. Nothing is
    done to a file whose SHA-256 is neither ``before`` nor ``after``: somebody has changed it. ``differs`` is
    how the two differ, line by line, for people.
    """

    path: str
    content: Secret | None
    before: str
    after: str
    differs: tuple[str, ...] = ()

    @property
    def undone(self) -> Self:
        """What brings the file back, byte for byte."""
        return replace(self, content=None, before=self.after, after=self.before, differs=())


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a file; a missing one is fine."""

    path: str


@dataclass(frozen=True, slots=True)
class RemoveDirectory:
    """Remove a directory if it is empty; a missing or a used one is left alone."""

    path: str


@dataclass(frozen=True, slots=True)
class Run:
    """Run a command; ``environment`` is set for it alone, and no command line shows a secret of it."""

    argv: tuple[str, ...]
    environment: tuple[tuple[str, str | Secret], ...] = ()

    @property
    def restarts_unit(self) -> bool:
        """Whether it is a systemctl that restarts a unit."""
        return self.argv[:1] == ("systemctl",) and "restart" in self.argv[1:]

    @property
    def asks_etcd(self) -> bool:
        """Whether it speaks to etcd, and so may change what all members share."""
        return self.argv[:1] in {("etcdctl",), ("curl",)}


Operation = MakeDirectory | Write | EditFile | ReplaceFile | Remove | RemoveDirectory | Run


@dataclass(frozen=True, slots=True)
class Job:
    """Operations for one host, performed as one script that finishes there without us.

    ``id`` names the job for ever: performing the same id again never runs the script a second time, it
    reads the result that the first time left (or waits for it). ``step`` is the step that it belongs to, and
    ``successor`` the member that has to go last from now on, where the job is a handover. ``lock`` is the
    first line of the host's lock as it has to be, or else the script does nothing; empty, nobody looks.
    """

    id: str
    host: str
    operations: tuple[Operation, ...]
    deadline_s: float
    step: str = ""
    successor: str | None = None
    lock: str = ""


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job left on its host: its exit status (0 is success) and what it printed."""

    exit_status: int
    output: str

    @property
    def last_words(self) -> str:
        """The end of what it printed, on one line; log lines in JSON only if there is no other."""
        lines = self.output.strip().splitlines()
        plain = [line for line in lines if not line.startswith("{")]
        said = " / ".join((plain or lines)[-_LAST_LINES:])
        return said if len(said) <= _LAST_CHARS else f"…{said[-_LAST_CHARS:]}"
