"""What clients saw meanwhile: attempts, failures and stalls, from records and from the state file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from markupsafe import Markup
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from orchestrator.engine.events import Walked
from orchestrator.report.html import svg
from orchestrator.report.html.story import Process
from orchestrator.report.html.wording import clock, duration

Count = Annotated[int, Field(ge=0, le=10**12)]
Seconds = Annotated[float, Field(ge=0, le=10**9, allow_inf_nan=False)]
Instant = Annotated[float, Field(ge=0, le=10**11, allow_inf_nan=False)]  # seconds since 1970

_LIMITS = ConfigDict(frozen=True, extra="ignore")  # a record says more than is drawn here
_MOST = 2000  # failures that are drawn of one client
WIDTH, LABELS, EDGE, ROW, HEAD = 1000.0, 160.0, 14.0, 30.0, 24.0
_LONGEST_NAME = 22
PROBE = "run --probe"


class Single(BaseModel):
    """The record of one client, from its first write to its last; its operations are writes and reads."""

    model_config = _LIMITS

    started_at: AwareDatetime
    took_s: Seconds
    attempts: Count
    failed: Count
    longest_stall_s: Seconds
    longest_stall_after_s: Seconds
    reads: Count = 0
    failed_reads: Count = 0
    failed_at: tuple[Instant, ...] = ()


class Kind(BaseModel):
    """The record of one of many kinds of client, which ran at the same time."""

    model_config = _LIMITS

    kind: str
    attempts: Count
    failed: Count
    longest_stall_s: Seconds
    failed_at: tuple[Instant, ...] = ()


class Many(BaseModel):
    """The record of clients of many kinds."""

    model_config = _LIMITS

    clients: tuple[Kind, ...]


Window = tuple[datetime, datetime]
RECORD: TypeAdapter[Single | Many] = TypeAdapter(Single | Many)


@dataclass(frozen=True, slots=True)
class Client:
    """A client as it is drawn; ``span`` is when it ran, and ``stall`` when it began to wait longest.

    They are None where its record does not say so.
    """

    name: str
    attempts: int
    failed: int
    longest_stall_s: float
    failed_at: tuple[datetime, ...] = ()
    span: Window | None = None
    stall: datetime | None = None


def clients(records: Mapping[str, Single | Many], began: datetime, ended: datetime) -> tuple[Client, ...]:
    """Return the clients of records, by the names of the records; none if they are of another time."""
    singles = [record for record in records.values() if isinstance(record, Single)]
    if not any(
        one.started_at <= ended and began <= one.started_at + timedelta(seconds=one.took_s) for one in singles
    ):
        return ()
    found: list[Client] = []
    for name, record in records.items():
        found += [_single(name, record)] if isinstance(record, Single) else map(_kind, record.clients)
    return tuple(found)


def of_processes(processes: Iterable[Process]) -> Iterator[Client]:
    """Yield the client that each process let use the cluster meanwhile, as far as the state file tells."""
    for process in processes:
        accounts = [event.account for event in process.events if isinstance(event, Walked) and event.account]
        if accounts:
            last = accounts[-1]
            yield Client(
                PROBE,
                last.operations,
                last.failed,
                last.longest_stall_s,
                last.failed_at,
                (last.since, max(process.ended, last.since)),
                last.stalled_at,
            )


def _single(name: str, one: Single) -> Client:
    return Client(
        name,
        one.attempts + one.reads,
        one.failed + one.failed_reads,
        one.longest_stall_s,
        _times(one.failed_at),
        (one.started_at, one.started_at + timedelta(seconds=one.took_s)),
        one.started_at + timedelta(seconds=one.longest_stall_after_s),
    )


def _kind(one: Kind) -> Client:
    return Client(one.kind, one.attempts, one.failed, one.longest_stall_s, _times(one.failed_at))


def _times(failed_at: Iterable[float]) -> tuple[datetime, ...]:
    return tuple(datetime.fromtimestamp(at, UTC) for at in failed_at)


def draw(
    shown: Sequence[Client], window: Window, away: Sequence[Window], closed: datetime | None = None
) -> Markup:
    """Draw clients over time; ``away`` is when restarts were under way, ``closed`` when http was closed."""
    began = min((window[0], *(one.span[0] for one in shown if one.span)))
    end = max((window[1], *(one.span[1] for one in shown if one.span)))
    total_s = max((end - began).total_seconds(), 0.001)

    def x(at: datetime) -> float:
        share = (at - began).total_seconds() / total_s
        return LABELS + (WIDTH - LABELS - EDGE) * min(max(share, 0.0), 1.0)

    bottom = HEAD + ROW * len(shown)
    said = "Each client over time: a line while it ran, a mark where it waited longest, one for each failure."
    drawing = svg.drawing("reach", (WIDTH, bottom + 30), "Availability for each client", said)
    for first, last in away:
        svg.box(
            drawing,
            "away",
            (x(first), HEAD, max(x(last) - x(first), 1.5), bottom - HEAD),
            "a member restarts",
        )
    if closed:
        svg.put(drawing, "line", kind="closed", x1=x(closed), x2=x(closed), y1=HEAD - 6, y2=bottom)
        svg.put(
            drawing, "text", "http is closed", kind="closed", x=x(closed), y=HEAD - 10, text_anchor="middle"
        )
    for number, one in enumerate(shown):
        y = HEAD + ROW * number + ROW / 2
        short = one.name if len(one.name) <= _LONGEST_NAME else f"{one.name[: _LONGEST_NAME - 1]}…"
        label = svg.put(drawing, "text", short, kind="name", x=LABELS - 10, y=y + 4)
        label.set("text-anchor", "end")
        left, right = map(x, one.span or (began, end))
        svg.box(drawing, "served" if one.span else "served unknown", (left, y - 4, right - left, 8))
        if one.stall:
            width = max(one.longest_stall_s / total_s * (WIDTH - LABELS - EDGE), 3.0)
            shown_ = f"longest stall: {duration(one.longest_stall_s)} from {clock(one.stall)} on"
            svg.box(drawing, "stall", (x(one.stall), y - 7, width, 14), shown_)
        for at in one.failed_at[:_MOST]:
            mark = svg.put(drawing, "line", kind="fault", x1=x(at), x2=x(at), y1=y - 9, y2=y + 9)
            svg.put(mark, "title", f"failed at {clock(at)}")
    for at in (began, end):
        label = svg.put(drawing, "text", clock(at), kind="time", x=x(at), y=bottom + 18)
        label.set("text-anchor", "start" if at == began else "end")
    return svg.markup(drawing)
