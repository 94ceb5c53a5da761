"""Whether all members hold the same data: each one's hash of all keys, at one revision."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.etcd.api import Hashed, MemberStatus
from orchestrator.plan.kinds import OrAuto

# 2 GB took 0.5 to 11 s to hash, and 35 s on a busy machine (measured, 3.4.23).
LARGE_BYTES = 500_000_000
NOT_WANTED = "the members' data is not compared, as the plan wants it (compare_data: false)"
COSTS = "a member that hashes its keys answers nobody and renews no lease meanwhile"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A revision at which all members have the same keys, and their hash."""

    revision: int
    hash: int

    def __str__(self) -> str:
        return f"hash {self.hash} at revision {self.revision}"


def is_leader(statuses: MemberStatus) -> bool:
    """Whether a member leads: it is asked last.

    To hash, a member reads every key and commits nothing meanwhile (source of 3.4, mvcc/kvstore.go,
    hashByRev): so one at a time, and the one for which all writes wait when all others have done it.
    """
    return statuses.leader == statuses.id


def large(statuses: Mapping[str, MemberStatus]) -> str:
    """Say which members hold so much that it takes long to hash; nothing if none does."""
    sizes = {name: one.size_bytes for name, one in statuses.items() if one.size_bytes >= LARGE_BYTES}
    return ", ".join(f"{name} holds {size / 1e9:.1f} GB" for name, size in sizes.items())


def left_out(compares: OrAuto, statuses: Mapping[str, MemberStatus]) -> str:
    """Say why members are not compared, by the plan's ``compare_data``; nothing if they are."""
    if compares is False:
        return NOT_WANTED
    held = large(statuses) if compares == "auto" else ""
    return f"the members' data is not compared (compare_data): {held}; {COSTS}" if held else ""


def late(statuses: Mapping[str, MemberStatus], wanted: int) -> tuple[str, ...]:
    """Say which members do not have a revision yet that another one had."""
    return tuple(
        f"{name} has come to revision {one.revision}, and has to come to {wanted}"
        for name, one in statuses.items()
        if one.revision < wanted
    )


def uncomparable(hashes: Mapping[str, Hashed], revision: int) -> tuple[str, ...]:
    """Say why hashes cannot be compared; ``revision`` is what was asked for, 0 for each one's last.

    What one member has compacted another may still count in.
    """
    if len({one.compacted for one in hashes.values()}) > 1:
        reported = ", ".join(f"{name} to {one.compacted}" for name, one in hashes.items())
        return (f"a compaction is under way: {reported}",)
    if not revision and len({one.revision for one in hashes.values()}) > 1:
        return ("the members were written to while they were compared",)
    return ()


def difference(hashes: Mapping[str, Hashed], revision: int) -> tuple[str, ...]:
    """Say who has which hash, if they are not all the same."""
    if len({one.hash for one in hashes.values()}) < 2:
        return ()
    reported = ", ".join(f"{name} {one.hash}" for name, one in hashes.items())
    return (f"at revision {revision} the members do not hold the same keys; their hashes: {reported}",)
