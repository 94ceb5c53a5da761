"""What happens in a run: the events of the state file, which people and machines get as well."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter

from orchestrator.plan import foreign, spelling
from orchestrator.plan.facts import Facts
from orchestrator.plan.model import Frozen

Direction = Literal["forward", "back"]

FORMAT = 3  # of the state file; a file with a number that is not among READABLE is refused
READABLE = {2, FORMAT}  # format 2 knows no steps that are under way at once, and is gone on with

# Anybody may edit a state file, and what stands in it becomes a path, a job's name or a line on a terminal.
Name = Annotated[str, AfterValidator(spelling.name)]  # of a host or a cluster, as in a plan
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]  # of our own tables: a round, a state
StepId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}/[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=1, le=999_999_999)]
Natural = Annotated[int, Field(ge=0, le=10**12)]
OneLine = Annotated[str, AfterValidator(foreign.setting)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]

# A job on its host; or a wait until other members are well, until clients outside have moved, until there is
# a leader, or until the gates of a step hold; or, in no time, clients that somebody insists on cutting off.
SpanKind = Literal["job", "members", "outside", "leader", "gates", "cut-off"]


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


class Happened(Frozen):
    """Something that happened at a time."""

    at: AwareDatetime = Field(default_factory=now)


class Span(Frozen):
    """What took time before an event: since when, how long, on which host, and what was waited for last."""

    kind: SpanKind
    at: AwareDatetime
    took_s: Seconds
    host: Name | None = None
    reasons: tuple[str, ...] = ()


class Account(Frozen):
    """What somebody went through who has used the cluster since a time, up to an event.

    ``failed`` are those of its operations that were given up, ``lost`` the writes that were acknowledged and
    are not there; ``stalled_at`` is when its longest stall began.
    """

    since: AwareDatetime
    operations: Natural
    failed: Natural
    lost: Natural
    longest_stall_s: Seconds
    stalled_at: AwareDatetime
    failed_at: Annotated[tuple[AwareDatetime, ...], Field(max_length=100)] = ()


class Walked(Happened):
    """Something that happened as hosts are walked; ``spans`` came to their end since the event before.

    ``account`` is the witness's, up to now, ``behind`` how far hosts were behind the others when their gates
    were last judged. All are written down where there are any: files of before do not have them.
    """

    spans: Annotated[tuple[Span, ...], Field(exclude_if=lambda spans: not spans)] = ()
    account: Annotated[Account | None, Field(exclude_if=lambda account: account is None)] = None
    behind: Annotated[Mapping[Name, Natural], Field(exclude_if=lambda behind: not behind)] = Field(
        default_factory=dict
    )


class Opened(Happened):
    """The first line: what this file is about. ``run`` names the run, ``runbook`` is its digest."""

    event: Literal["opened"] = "opened"
    format: int = FORMAT
    tool: OneLine
    run: RunId
    cluster: Name
    migration: Word
    runbook: Digest
    facts: Facts


class Saved(Happened):
    """What was there before the first change is kept: ``data`` on ``host``, ``directory`` on every host.

    ``instructions`` is a file on that host too: how the data is put back. ``revision`` and ``hash`` are what
    all members agreed upon then; None where there is no hash.
    """

    event: Literal["saved"] = "saved"
    host: Name
    directory: OneLine
    data: OneLine
    instructions: OneLine
    revision: int | None = None
    hash: int | None = None


class Recovered(Happened):
    """What comes next was reported by the hosts, for the file in which it stood is lost.

    They remember which jobs began. A step that never reached its host has left no trace: there may be gaps.
    """

    event: Literal["recovered"] = "recovered"


class RunBegan(Happened):
    """A process took the file and began, or went on."""

    event: Literal["run_began"] = "run_began"
    pid: int
    host: str
    user: str
    runbook: Digest
    is_resumed: bool
    direction: Direction = "forward"


class RoundBegan(Walked):
    """Members that have not done so take a round; ``last`` is who has to go last, as seen now.

    ``at_once`` says that their steps may be under way at the same time.
    """

    event: Literal["round_began"] = "round_began"
    round: Word
    target: Word
    hosts: tuple[Name, ...]
    order: OneLine
    last: Name | None = None
    at_once: bool = False


class HandedOver(Walked):
    """A member that has to go last is about to give that role away; ``number`` counts that up by step."""

    event: Literal["handing_over"] = "handing_over"
    step: StepId
    host: Name
    successor: Name
    number: Count


class StepStarted(Walked):
    """A step's job is about to be done; without an ending it is in doubt.

    ``restarts`` is whether it takes the host away for a moment; older files do not tell.
    """

    event: Literal["step_started"] = "step_started"
    step: StepId
    host: Name
    source: Word
    target: Word
    attempt: Count
    operations: Digest
    restarts: bool = False


class StepSucceeded(Walked):
    """A member stands in the next state, as its gates showed. ``is_adopted``: it was found there."""

    event: Literal["step_succeeded"] = "step_succeeded"
    step: StepId
    host: Name
    target: Word
    took_s: Seconds
    is_adopted: bool = False


class StepFailed(Walked):
    """A step's job or its gates failed; doing it again is a new attempt."""

    event: Literal["step_failed"] = "step_failed"
    step: StepId
    host: Name
    reason: str


class RunEnded(Walked):
    """The process let go of the file. ``finished`` means that every member stands in the last state."""

    event: Literal["run_ended"] = "run_ended"
    outcome: Literal["finished", "paused", "stopped", "interrupted"]
    reason: str = ""


class Waiting(Happened):
    """A gate does not hold yet; shown to people, never written."""

    event: Literal["waiting"] = "waiting"
    reasons: tuple[str, ...]


OfWalk = RoundBegan | HandedOver | StepStarted | StepSucceeded | StepFailed | RunEnded
Recorded = Opened | Saved | Recovered | RunBegan | OfWalk
Event = Recorded | Waiting

RECORDED: TypeAdapter[Recorded] = TypeAdapter(Annotated[Recorded, Field(discriminator="event")])
