"""What can be asked of a host, what it answers, and how a typed value is read out of that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from orchestrator.host.operations import Secret
from orchestrator.text import escaped

Value = TypeVar("Value")

# In a script, what stands above this line is done once for questions that share it.
EACH = "# From here on for each question by itself."


@dataclass(frozen=True, slots=True)
class Script:
    """A read-only question to a host: a POSIX shell script with arguments, run as root.

    Two equal scripts are one question, so that several checks can share an answer. ``secret`` is the line
    that it finds on stdin, where nobody else sees it. One that ``is_slow`` watches for seconds: it is asked
    beside the others, so that none of them waits for it.

    Questions that differ only in their arguments behind the first ``shares`` are asked together. If the
    script has the line EACH, what stands above it needs those first arguments, and drops them. Without that
    line it is run once with the arguments of all, and each has the whole answer.
    """

    host: str
    script: str
    arguments: tuple[str, ...] = ()
    timeout_s: float = 5.0
    secret: Secret | None = None
    shares: int = 0
    is_slow: bool = False

    @property
    def is_joined(self) -> bool:
        """Whether the answer about more arguments is an answer about fewer."""
        return self.shares > 0 and EACH not in self.script


@dataclass(frozen=True, slots=True)
class HttpProbe:
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


@dataclass(frozen=True, slots=True)
class Download:
    """A read-only script whose output is too large to be an answer: it goes into a file on the bastion.

    ``into`` is there, readable for nobody else, and is written anew. ``timeout_s`` is for all of it; more
    than ``most_bytes`` are refused. ``secret`` is as for a Script. Its answer has an empty ``stdout``.
    """

    host: str
    script: str
    arguments: tuple[str, ...]
    into: Path
    most_bytes: int
    timeout_s: float
    secret: Secret | None = None


Question = Script | HttpProbe | Download


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question brought back.

    A script: its exit status (124 means that it ran out of time) and what it printed. A probe: exit status 0
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
    def pairs(self) -> list[tuple[str, str]]:
        """Lines of the text, each a key and a value with "=" between them; UnansweredError as for text."""
        found = (line.partition("=") for line in self.text.splitlines())
        return [(key, value) for key, _, value in found]

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
class Fact(Generic[Value]):
    """One typed value of a host: what to ask, and how to read the answer.

    ``reader`` raises ValueError or LookupError for an answer that it cannot read. Facts with equal questions
    are asked once.
    """

    question: Question
    reader: Callable[[Answer], Value] = field(compare=False)

    def read(self, answers: Answers) -> Value:
        """Return the value out of the answers; KeyError if its question was not asked."""
        return self.reader(answers[self.question])
