"""What the prober counts, and what the counts come to."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from typing import Literal

from pydantic import Field

from orchestrator.plan.model import Frozen


class ProbeReport(Frozen):
    """What a client of the cluster went through, from its first write to its last.

    An attempt is one write that the client wanted; it is acknowledged, or failed when no endpoint took it
    in time. Lost are acknowledged writes that are not to be read, at the end, from every single member.
    A stall is the time between two acknowledgements that follow each other; times are in seconds. Not every
    client keeps a lease, or has its writes watched. Contradictions are what no etcd that keeps its promises
    can have shown; missed are revisions that the watch did not deliver. ``failed_at`` are the times, in
    seconds since 1970, at which writes and reads were given up. A gap is a stall that came to an end.
    """

    started_at: str
    took_s: float
    attempts: int
    acknowledged: int
    failed: int
    lost: int
    lost_examples: tuple[str, ...]
    longest_stall_s: float
    longest_stall_after_s: float
    median_latency_s: float
    p99_latency_s: float
    failovers: int
    writes_over: Mapping[str, int]
    reads: int
    failed_reads: int
    wrong_reads: int
    lease: Literal["alive", "expired", "unknown", "none"]
    lease_renewals: int
    failed_lease_renewals: int
    watched: int
    contradictions: int
    contradiction_examples: tuple[str, ...]
    complaints: tuple[str, ...]
    missed: int = 0
    longest_gap_s: float = 0.0
    failed_at: tuple[float, ...] = ()


class ClientReport(Frozen):
    """What one of many kinds of client went through: operations, and what it must not have suffered.

    ``missed`` are revisions that its watch did not deliver, None if it has none. ``broken`` says in sentences
    what etcd promises and did not keep, such as a lock that two held at once. ``failed_at`` is as in
    ProbeReport.
    """

    kind: str
    attempts: int
    failed: int
    failed_at: tuple[float, ...]
    longest_stall_s: float
    missed: int | None
    broken: tuple[str, ...]
    complaints: tuple[str, ...]
    writes_over: Mapping[str, int] = Field(default_factory=dict)

    @classmethod
    def of(cls, kind: str, probe: ProbeReport, *, is_cut_off: bool = False) -> "ClientReport":
        """Return the same of a prober; of one that was cut off, the stall that has no end is none."""
        wrong = (
            (probe.lost, "acknowledged writes are lost"),
            (probe.wrong_reads, "reads did not give what had just been written"),
        )
        return cls(
            kind=kind,
            attempts=probe.attempts + probe.reads,
            failed=probe.failed + probe.failed_reads,
            failed_at=probe.failed_at,
            longest_stall_s=probe.longest_gap_s if is_cut_off else probe.longest_stall_s,
            missed=probe.missed if probe.watched else None,
            broken=(
                *(f"{count} {what}" for count, what in wrong if count),
                *probe.contradiction_examples,
                *((f"the lease is {probe.lease}",) if probe.lease not in ("alive", "none") else ()),
            ),
            complaints=probe.complaints,
            writes_over=probe.writes_over,
        )


class CrowdReport(Frozen):
    """What clients of every kind went through, at the same time."""

    clients: tuple[ClientReport, ...]


@dataclass(slots=True)
class Count:
    """Operations of one client, counted as they happen; start and end count as successes for the stalls."""

    kind: str
    attempts: int = 0
    times: list[float] = field(default_factory=lambda: [time.monotonic()])
    failed_at: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    ended: float | None = None

    def fail(self, why: str) -> None:
        """Note an operation that was given up."""
        self.failed_at.append(time.time())
        self.complain(why)

    def complain(self, why: str) -> None:
        """Note what was wrong, though it may be better by the next try."""
        if len(self.complaints) < 10:
            self.complaints.append(why[-300:])

    def report(self, *, missed: int | None = None, broken: Sequence[str] = ()) -> ClientReport:
        """Return what it came to, up to now."""
        return ClientReport(
            kind=self.kind,
            attempts=self.attempts,
            failed=len(self.failed_at),
            failed_at=tuple(self.failed_at),
            longest_stall_s=longest_gap([*self.times, self.ended or time.monotonic()])[0],
            missed=missed,
            broken=tuple(broken),
            complaints=tuple(self.complaints),
        )


@dataclass(frozen=True, slots=True)
class Stall:
    """A time without an acknowledged write; ``after_s`` the start it began, ``at`` seconds since 1970."""

    took_s: float
    after_s: float
    at: float


@dataclass(slots=True)
class Tally:
    """Counts while the prober runs. Times are of one monotonic clock, in seconds.

    The longest stall is kept as it goes: somebody asks for it before each step, of a run that takes days.
    """

    started: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)
    ended: float | None = None  # when nobody wanted to write any more
    acknowledged: dict[str, str] = field(default_factory=dict)
    writes: int = 0
    latencies: list[float] = field(default_factory=list)
    writes_over: dict[str, int] = field(default_factory=lambda: {"http": 0, "https": 0})
    attempts: int = 0
    failed: int = 0
    reads: int = 0
    failed_reads: int = 0
    wrong_reads: int = 0
    failed_at: list[float] = field(default_factory=list)
    longest_gap: Stall = Stall(0.0, 0.0, 0.0)
    _last: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        """Begin to measure."""
        self.start(self.started)

    def start(self, now: float) -> None:
        """Begin to measure stalls anew: whatever was written before was written at leisure."""
        self.started, self.started_at = now, time.time()
        self._last = now, self.started_at
        self.longest_gap = Stall(0.0, 0.0, self.started_at)

    def acknowledge(self, key: str, value: str, *, offered: float, now: float, scheme: str) -> None:
        """Note a write that a member took."""
        self.acknowledged[key] = value
        self.writes += 1
        self.latencies.append(now - offered)
        self.writes_over[scheme] += 1
        self.longest_gap = self.stall(now)  # before the next line: who asks meanwhile misses nothing
        self._last = now, time.time()

    def rest(self, now: float) -> None:
        """Note that nobody has wanted to write up to now: what comes behind is measured."""
        self._last = now, time.time()

    def stall(self, end: float) -> Stall:
        """Return the longest stall up to a time; begin and end count as writes."""
        last, at = self._last  # before the longest one, for the same reason
        longest = self.longest_gap
        return Stall(end - last, last - self.started, at) if end - last > longest.took_s else longest


def longest_gap(times: Sequence[float]) -> tuple[float, float]:
    """Return the longest gap between neighbours, and how long after the first time it began."""
    gaps = ((later - earlier, earlier - times[0]) for earlier, later in pairwise(times))
    return max(gaps, key=lambda gap: gap[0], default=(0.0, 0.0))


def quantile(values: Sequence[float], fraction: float) -> float:
    """Return the smallest value that is not exceeded by that fraction of them; 0 if there are none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, ceil(fraction * len(values)) - 1)]


def missing(acknowledged: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys that were acknowledged and are not found with the value that was written."""
    return tuple(key for key, value in acknowledged.items() if found.get(key) != value)
