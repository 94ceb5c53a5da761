"""What a client saw, operation by operation, and whether an etcd that keeps its promises can have shown it.

Revisions are the witness: etcd numbers its writes, an answer tells the number, and a watch delivers each
write under its number. Source of the promises: etcd's "KV API guarantees"; its robustness tests judge so.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise


@dataclass(frozen=True, slots=True)
class Write:
    """A write of a value that nobody else writes. Times are of one monotonic clock, in seconds.

    ``revision`` is what its answer says; without an answer it is None, and ``ended`` infinite: it may have
    happened, or may yet happen. ``tries`` is how often it was sent, for each try may have happened.
    """

    key: str
    value: str
    began: float
    ended: float
    revision: int | None
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Read:
    """A linearizable read of one key that was answered; ``revision`` is the store's, as the answer says."""

    key: str
    value: str | None
    began: float
    ended: float
    revision: int


@dataclass(frozen=True, slots=True)
class Event:
    """A write as a watch delivers it."""

    revision: int
    key: str
    value: str
    is_deletion: bool = False


@dataclass(slots=True)
class History:
    """All that was seen; ``events`` are of one watch on all those keys, from before the first write on."""

    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


Happened = Mapping[tuple[str, str], Sequence[int]]
"""By key and value, the revisions at which that write happened."""


def contradictions(history: History) -> Iterator[str]:
    """Yield each thing that cannot be, in a sentence."""
    log = {event.revision: event for event in history.events}
    happened = _happened(log)
    yield from _of_the_watch(history.events)
    yield from _of_happenings(history.writes, happened)
    yield from _of_writes(history.writes, log, happened)
    answered = {
        one.revision: Event(one.revision, one.key, one.value) for one in history.writes if one.revision
    }
    yield from _of_reads(history, {**answered, **log})


def missed(history: History) -> tuple[int, ...]:
    """Return the revisions of answered writes that the watch did not deliver."""
    delivered = {event.revision for event in history.events}
    return tuple(one.revision for one in history.writes if one.revision and one.revision not in delivered)


def _of_the_watch(events: Sequence[Event]) -> Iterator[str]:
    """Each revision is delivered once, and in order."""
    for before, after in pairwise(events):
        if after.revision == before.revision:
            yield f"the watch delivered revision {after.revision} twice"
        elif after.revision < before.revision:
            yield f"the watch delivered revision {after.revision} behind {before.revision}"


def _of_happenings(writes: Sequence[Write], happened: Happened) -> Iterator[str]:
    """What happened was written by somebody, and not more often than it was sent."""
    tries = {(write.key, write.value): write.tries for write in writes}
    for (key, value), revisions in happened.items():
        if (key, value) not in tries:
            yield f"the watch delivered {key} = {value}, which nobody wrote"
        elif len(revisions) > tries[key, value]:
            sent = tries[key, value]
            yield f"the write of {key} happened {len(revisions)} times, and was sent {sent} times"


def _of_writes(writes: Sequence[Write], log: Mapping[int, Event], happened: Happened) -> Iterator[str]:
    """A write has the revision that its answer says, and a higher one than all that ended before it began."""
    known = _Greatest((write.ended, write.revision) for write in writes if write.revision is not None)
    for write in writes:
        revisions = set(happened.get((write.key, write.value), ()))
        if write.revision is not None:
            event = log.get(write.revision)
            if event is None:
                yield f"the watch missed revision {write.revision}, the write of {write.key}"
            elif (event.key, event.value) != (write.key, write.value):
                reported = f"the watch has {event.key} there"
                yield f"revision {write.revision} is the write of {write.key}, and {reported}"
            revisions.add(write.revision)
        before = known.below(write.began)
        if revisions and min(revisions) <= before:
            reported = f"has revision {min(revisions)}, and began behind revision {before:.0f}"
            yield f"the write of {write.key} {reported}"


def _of_reads(history: History, log: Mapping[int, Event]) -> Iterator[str]:
    """A read gives the key's value at its revision: not behind what was known, and not ahead of its time."""
    by_key: dict[str, list[Event]] = defaultdict(list)
    for _, event in sorted(log.items()):
        by_key[event.key].append(event)
    began = {(write.key, write.value): write.began for write in history.writes}
    answered = [(one.ended, one.revision) for one in history.writes if one.revision is not None]
    known = _Greatest((*answered, *((one.ended, one.revision) for one in history.reads)))
    begun = _Greatest((event.revision, began.get((event.key, event.value), 0.0)) for event in log.values())
    for read in history.reads:
        events = by_key[read.key]
        index = bisect_left(events, read.revision + 1, key=lambda event: event.revision)
        wanted = events[index - 1].value if index else None
        where = f"the read of {read.key} at revision {read.revision}"
        if read.value != wanted:
            yield f"{where} gave {read.value}, and not {wanted}"
        if read.revision < known.below(read.began):
            yield f"{where} began behind revision {known.below(read.began):.0f}"
        if begun.below(read.revision + 1) > read.ended:
            yield f"{where} ended before a write began that had happened by then"


def _happened(log: Mapping[int, Event]) -> Happened:
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for revision, event in log.items():
        found[event.key, event.value].append(revision)
    return found


class _Greatest:
    """Of pairs, the greatest second whose first is below a bound; 0 if there is none."""

    def __init__(self, pairs: Iterable[tuple[float, float]]) -> None:
        ordered = sorted(pairs)
        self._firsts = [first for first, _ in ordered]
        self._greatest = list(accumulate((second for _, second in ordered), max))

    def below(self, bound: float) -> float:
        index = bisect_left(self._firsts, bound)
        return self._greatest[index - 1] if index else 0.0
