"""What happens in a run: the events of the state file, which people and machines are told as well."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from orchestrator.cluster.facts import Facts
from orchestrator.cluster.model import Frozen

Direction = Literal["forward", "back"]

FORMAT = 1  # of the state file; a file with another number is refused


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


class Happened(Frozen):
    """Something that happened at a time."""

    at: datetime = Field(default_factory=now)


class Opened(Happened):
    """The first line: what this file is about. ``run`` names the run, ``runbook`` is its digest."""

    event: Literal["opened"] = "opened"
    format: int = FORMAT
    tool: str
    run: str
    cluster: str
    migration: str
    runbook: str
    facts: Facts


class Saved(Happened):
    """What was there before the first change is kept: ``data`` on ``host``, ``directory`` on every host.

    ``instructions`` is a file on that host too: how the data is put back. ``revision`` and ``hash`` are what
    all members agreed upon then; None where there is no hash.
    """

    event: Literal["saved"] = "saved"
    host: str
    directory: str
    data: str
    instructions: str
    revision: int | None = None
    hash: int | None = None


class RunBegan(Happened):
    """A process took the file and began, or went on."""

    event: Literal["run_began"] = "run_began"
    pid: int
    host: str
    user: str
    runbook: str
    is_resumed: bool
    direction: Direction = "forward"


class RoundBegan(Happened):
    """Members that have not done so take a round; ``last`` is who has to go last, as seen now."""

    event: Literal["round_began"] = "round_began"
    round: str
    target: str
    hosts: tuple[str, ...]
    order: str
    last: str | None = None


class HandedOver(Happened):
    """A member that has to go last is about to give that role away."""

    event: Literal["handing_over"] = "handing_over"
    step: str
    host: str
    successor: str


class StepStarted(Happened):
    """A step's deed is about to be done; without an ending it is in doubt."""

    event: Literal["step_started"] = "step_started"
    step: str
    host: str
    source: str
    target: str
    attempt: int
    operations: str


class StepSucceeded(Happened):
    """A member stands in the next state, as its gates showed. ``is_adopted``: it was found there."""

    event: Literal["step_succeeded"] = "step_succeeded"
    step: str
    host: str
    target: str
    took_s: float
    is_adopted: bool = False


class StepFailed(Happened):
    """A step's deed or its gates failed; doing it again is a new attempt."""

    event: Literal["step_failed"] = "step_failed"
    step: str
    host: str
    reason: str


class RunEnded(Happened):
    """The process let go of the file. ``finished`` means that every member stands in the last state."""

    event: Literal["run_ended"] = "run_ended"
    outcome: Literal["finished", "paused", "stopped", "interrupted"]
    reason: str = ""


class Waiting(Happened):
    """A gate does not hold yet; told to people, never written."""

    event: Literal["waiting"] = "waiting"
    reasons: tuple[str, ...]


Recorded = (
    Opened | Saved | RunBegan | RoundBegan | HandedOver | StepStarted | StepSucceeded | StepFailed | RunEnded
)
Event = Recorded | Waiting

RECORDED: TypeAdapter[Recorded] = TypeAdapter(Annotated[Recorded, Field(discriminator="event")])
