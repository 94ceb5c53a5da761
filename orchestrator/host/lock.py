"""The lock on a host: a file that names the one process which may change the host; values and words only."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.host import places
from orchestrator.host.questions import Fact, Script
from orchestrator.text import shown

DIRECTORY = places.lock()  # on the host, and on its disk: a reboot frees nobody's lock
HOLDER = places.holder()

_LOOK = 'cat -- "$1" 2>/dev/null || [ ! -e "$1" ]'
_UNKNOWN = "?"
_FIELD_LIMIT = 1000  # a path is 255 characters a folder


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    ``run`` is the id in the state file's first line; ``number`` tells its processes apart, and is never used
    twice: it is the bastion's clock, in microseconds, when the process took its locks. ``bastion`` and
    ``state`` say where that state file lies: whoever has it open there, under its own lock, may take over.
    """

    run: str
    number: str
    bastion: str
    state: str
    who: str
    since: str
    doing: str

    @property
    def mark(self) -> str:
        """First line of the file, which each job of this process carries and compares."""
        return f"{self.run} {self.number}"

    @property
    def text(self) -> str:
        """The file; lines 2 and 3 and the run's id say who may take over, the others are for people."""
        reported = {name: getattr(self, name) for name in ("bastion", "state", "who", "since", "doing")}
        return "\n".join([self.mark, *(f"{name} {_one_line(value)}" for name, value in reported.items())])

    def __str__(self) -> str:
        run = shown(self.run, quote="")
        return f"run {run} ({self.who}, since {self.since}, doing {self.doing}, state file {self.state})"


def read(text: str) -> Holder | None:
    """Read what a lock's file holds; None if it holds nothing, '?' for what cannot be read.

    Who has root on that host may have written anything: what is for people comes as one printable line each.
    The run's id stays as it is, for it is compared.
    """
    if not text:
        return None
    lines = text.split("\n")
    run, _, number = lines[0].partition(" ")
    reported: Mapping[str, str] = {
        name: shown(value, quote="", limit=_FIELD_LIMIT)
        for name, _, value in (line.partition(" ") for line in lines[1:6])
    }
    return Holder(
        run=run or _UNKNOWN,
        number=number,
        bastion=reported.get("bastion", _UNKNOWN),
        state=reported.get("state", _UNKNOWN),
        who=reported.get("who", _UNKNOWN),
        since=reported.get("since", _UNKNOWN),
        doing=reported.get("doing", _UNKNOWN),
    )


def held(host: str) -> Fact[Holder | None]:
    """Who holds a host's lock; a free one answers with nothing."""
    return Fact(Script(host, _LOOK, (HOLDER,)), lambda answer: read(answer.text))


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
