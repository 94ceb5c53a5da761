"""A review as plain data: every job with every operation, and what a person has to know before a yes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.host.operations import Operation

Label = Literal["MAY MOVE", "CUT OFF", "REPAIR", "RISK"]


@dataclass(frozen=True, slots=True)
class Note:
    """What stands before everything else, e.g. who loses what by it."""

    label: Label
    text: str


@dataclass(frozen=True, slots=True)
class Way:
    """Hosts that take the same way: from one state to another, and what is true of them at its end."""

    hosts: tuple[str, ...]
    source: str
    target: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that a round changes; None where it is not set."""

    round: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of one host, by the name of its variable, with each change in the order in which it comes."""

    name: str
    host: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Radius:
    """What a restart touches.

    ``away_s`` is how long its service was away at its last restart, in seconds, None if nobody knows.
    ``successor`` leads from then on, where the host led. ``clients`` says of each port what its clients find.
    """

    host: str
    role: Literal["member", "proxy"]
    members: int
    away_s: float | None
    successor: str | None
    clients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """One operation: the value itself, as a line, and the lines of its file that differ, signed + or -.

    ``operation`` may hold a key: show ``line`` and ``content`` instead, which never do. ``is_assumed`` says
    that it depends on what nobody has looked at.
    """

    operation: Operation
    line: str
    content: tuple[str, ...] = ()
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class Same:
    """An earlier job that does the same, but for these values of its own."""

    number: int
    host: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReviewedJob:
    """A job of a step; ``number`` is that step's, counted from 1 as a run counts them.

    ``successor`` is who leads behind it, where it is a handover, which comes before its step's own job.
    ``gates`` are waited for behind it. ``radius`` is None if nothing is restarted.
    """

    number: int
    host: str
    step: str
    successor: str | None
    actions: tuple[Action, ...]
    gates: tuple[str, ...] = ()
    radius: Radius | None = None
    same: Same | None = None


@dataclass(frozen=True, slots=True)
class ReviewedRound:
    """A round with its jobs, in the order in which hosts take it as seen now.

    ``first`` is waited for before it begins: somebody outside loses by it otherwise.
    """

    name: str
    source: str
    target: str
    order: str
    jobs: tuple[ReviewedJob, ...]
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that a person reads before a yes.

    ``ends`` are sentences that are true at the end, ``lasting`` what nothing brings back, ``undoing`` what
    brings back the rest, ``times`` how long it takes and how that is known. ``always`` holds before and after
    every step. ``outline`` is the runbook's digest as a rehearsal has it too. ``hosts`` are the values by
    which equal jobs differ, such as a host's address, by its name. ``assumed`` is what nobody has looked at.
    """

    cluster: str
    migration: str
    direction: Literal["forward", "back"]
    runbook: str
    outline: str
    ways: tuple[Way, ...]
    always: tuple[str, ...]
    rounds: tuple[ReviewedRound, ...]
    hosts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    settings: tuple[Setting, ...] = ()
    notes: tuple[Note, ...] = ()
    ends: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    undoing: str = ""
    times: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def jobs(self) -> tuple[ReviewedJob, ...]:
        """Every job, in order."""
        return tuple(job for one in self.rounds for job in one.jobs)

    @property
    def restarts(self) -> tuple[Radius, ...]:
        """Every restart, in order."""
        return tuple(job.radius for job in self.jobs if job.radius)
