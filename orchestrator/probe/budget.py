"""What a cluster may do to its clients, and what goes beyond that, in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.probe.heard import Heard, short
from orchestrator.probe.tidy import TidyProber


@dataclass(frozen=True, slots=True)
class Budget:
    """The longest time without a write, and how many operations may fail."""

    stall_s: float
    failures: int


def excesses(budget: Budget, prober: TidyProber, heard: Heard, until: float, lost: int) -> Iterator[str]:
    """Yield what is beyond the budget at a time; what etcd promises is beyond any."""
    tally = prober.tally
    stall = tally.stall(until)
    if stall.took_s > budget.stall_s:
        since, at = tally.started + stall.after_s, wall(stall.at).astimezone()
        yield (
            f"no write was acknowledged for {stall.took_s:.1f} s from {at:%H:%M:%S} "
            f"on, and probe.stall in the plan allows {budget.stall_s:g} s: "
            f"{heard.between(since, since + stall.took_s)}"
        )
    if prober.failed > budget.failures:
        yield (
            f"{prober.failed} of its reads, writes and renewals failed, and probe.failures in the plan "
            f"allows {budget.failures}: {heard.between(tally.started, until)}"
        )
    if tally.wrong_reads:
        yield f"a read did not give what had just been written: {short(prober.complaints[-1])}"
    if prober.lease.state == "expired":
        yield "its lease expired, though it was kept alive all the while"
    if lost:
        yield f"{lost} of its last writes were acknowledged, and are not there any more"


def wall(moment: float) -> datetime:
    """Return seconds since 1970 as a time."""
    return datetime.fromtimestamp(moment, UTC)
