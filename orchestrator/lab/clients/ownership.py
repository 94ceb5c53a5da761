"""Whether a lock, or an election, had one holder at a time, and nobody lost it without noticing.

Revisions are the witness, as for a history: a write that began and ended while somebody believed to hold it
has a revision, and at that one etcd must have had this holder's key as the oldest of all that were there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf

from orchestrator.probe.history import Event, Write


@dataclass(frozen=True, slots=True)
class Holding:
    """From when to when somebody believed to hold it, by one monotonic clock, with which key of etcd's.

    ``began`` is when they were told, ``ended`` when they were asked to give it back, or noticed its loss
    (``is_lost``).
    """

    holder: str
    key: str
    began: float
    ended: float = inf
    is_lost: bool = False


def broken(holdings: Sequence[Holding], events: Sequence[Event], writes: Sequence[Write]) -> Iterator[str]:
    """Yield each thing that must not be. ``events`` are of all keys that were there to get it."""
    if not holdings:
        yield "nobody ever held it"
    for one, other in combinations(holdings, 2):
        if max(one.began, other.began) < min(one.ended, other.ended):
            yield f"{one.holder} and {other.holder} held it at once"
    lives = _lives(events)
    for holding in holdings:
        if holding.is_lost:
            yield f"{holding.holder} lost it"
        during = [
            one.revision
            for one in writes
            if one.revision and holding.began <= one.began and one.ended <= holding.ended
        ]
        if during:
            yield from _of_holding(holding, lives, min(during), max(during))


Lives = dict[str, tuple[int, float]]
"""By key, the revisions at which it came and went."""


def _lives(events: Sequence[Event]) -> Lives:
    found: Lives = {}
    for event in events:
        came, _ = found.get(event.key, (event.revision, inf))
        found[event.key] = (came, event.revision if event.is_deletion else inf)
    return found


def _of_holding(holding: Holding, lives: Lives, first: int, last: int) -> Iterator[str]:
    """Look at the revisions at which somebody surely believed to hold it."""
    if holding.key not in lives:
        yield f"{holding.holder} held it by {holding.key}, which etcd never had"
        return
    came, went = lives[holding.key]
    if came > first:
        yield f"{holding.holder} held it at revision {first}, and its key came at revision {came}"
    if went <= last:
        yield f"{holding.holder} lost it at revision {went:.0f}, and did not notice up to revision {last}"
    for key, (begun, ended) in lives.items():
        if key != holding.key and begun < came and ended > first:
            yield f"{holding.holder} held it at revision {first}, when {key} was the older one"
