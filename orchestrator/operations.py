"""What can be done to a host, or asked of it, as values that can be printed, compared and hashed."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.text import escaped


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
    """Run a command; ``environment`` is set for it alone."""

    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def restarts_unit(self) -> bool:
        """Whether it is a systemctl that restarts a unit."""
        return self.argv[:1] == ("systemctl",) and "restart" in self.argv[1:]


Operation = MakeDirectory | Write | Remove | RemoveDirectory | Run


@dataclass(frozen=True, slots=True)
class Deed:
    """Operations for one host, performed as one script that finishes there without us.

    ``id`` names the deed for ever: performing the same id again never runs the script a second time, it
    reads the receipt that the first time left (or waits for it). ``step`` is the step that it belongs to, and
    ``successor`` the member that has to go last from now on, where the deed is a handover. ``lock`` is the
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
class Receipt:
    """What a deed left on its host: its exit status (0 is success) and what it printed."""

    exit_status: int
    output: str


@dataclass(frozen=True, slots=True)
class Check:
    """A read-only question to a host: a POSIX shell script with arguments, asked as root.

    Two equal checks are one question, so that several gates can share an answer.
    """

    host: str
    script: str
    arguments: tuple[str, ...] = ()
    timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Knock:
    """A GET request from the bastion to a listener, tunnelled through the SSH connection to ``host``.

    ``ca`` verifies the listener; ``certificate`` and ``key`` are what we show, or None to show nothing.
    All three are files on the bastion. ``is_stranger`` shows a certificate that nobody has issued.
    """

    host: str
    url: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    is_stranger: bool = False
    timeout_s: float = 5.0


Question = Check | Knock


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question brought back.

    A check: its exit status (124 means that it ran out of time) and what it printed. A knock: exit status 0
    if the listener answered (``stdout`` is the HTTP status, a newline and the body), 1 if it refused (the
    connection, our certificate, or its own did not convince us) and 2 if nobody can tell (no tunnel, no
    answer in time); then ``stderr`` holds the reason.
    """

    exit_status: int
    stdout: str
    stderr: str = ""

    @property
    def text(self) -> str:
        """What was printed, if the question was answered to its end; raises UnansweredError otherwise.

        Every script ends with 0 once it has said all that it has to say, so any other status means that what
        it printed may be cut short: no part of that is an answer.
        """
        if self.exit_status != 0:
            raise UnansweredError(self.reason)
        return self.stdout

    @property
    def reason(self) -> str:
        """The last line that was printed on stderr, or else on stdout: it is usually why a command failed."""
        if self.exit_status == 124:
            return "no answer in time"
        lines = (self.stderr.strip() or self.stdout.strip()).splitlines()
        return escaped(lines[-1].strip()[:300]) if lines else f"exit status {self.exit_status}"


class UnansweredError(ValueError):
    """A question that was not answered to its end."""


Answers = Mapping[Question, Answer]


@dataclass(frozen=True, slots=True)
class Deviation:
    """A file that is not as it has to be: ``reason`` continues a sentence that the path begins."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


@dataclass(frozen=True, slots=True)
class Gate:
    """A named question with a pure judge: ``judge`` returns None if the gate holds, else the reason.

    ``drift`` finds in the same answers what only hands can have changed, which can be told whether or not
    anything runs; ValueError for an answer that cannot be read, None where a gate has nothing to say of that.
    """

    name: str
    questions: tuple[Question, ...]
    judge: Callable[[Answers], str | None] = field(compare=False)
    drift: Callable[[Answers], Iterable[Deviation]] | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Poll:
    """A question whose answer is the name of a member, or None if there is no such member."""

    name: str
    questions: tuple[Question, ...]
    read: Callable[[Answers], str | None] = field(compare=False)
