"""A clock that stands still while this very process does: suspended, starved, or its machine asleep."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf

BEAT_S = 0.1
GRACE_S = 0.25  # so late a beat may be, without that anybody stood still
PAUSE_S = 1.0  # whoever stood still for longer may have lost a lease, or a connection


def real() -> float:
    """Return the seconds since this machine was started, those included in which it was asleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Awake:
    """Counts seconds from one beat to the next, and no more than ``GRACE_S`` of them if the next one is late.

    Whoever asks before the beat that tells of a pause gets the same answer as whoever asks behind it.
    """

    def __init__(self, clock: Callable[[], float] = real) -> None:
        self._clock = clock
        self._began = clock()
        self.paused_s = 0.0  # in pauses that may have cost something
        self._beaten = (self._began, 0.0)  # when the last beat was, and how long we were awake up to it

    def __call__(self) -> float:
        """Return for how many seconds we have been awake."""
        return self._at(self._clock())

    @property
    def slept_s(self) -> float:
        """For how many seconds we stood still."""
        now = self._clock()
        return now - self._began - self._at(now)

    def beat(self) -> None:
        """Show that we are awake."""
        now, (last, _) = self._clock(), self._beaten
        self.paused_s += now - last if now - last > PAUSE_S else 0.0
        self._beaten = now, self._at(now)

    def beat_on(self, stop: threading.Event) -> None:
        """Beat until asked to stop."""
        while not stop.wait(BEAT_S):
            self.beat()

    def _at(self, now: float) -> float:
        last, awake_s = self._beaten
        return awake_s + min(now - last, GRACE_S)


@dataclass(slots=True)
class Fairness:
    """Whether the cluster is to blame for what an operation came to.

    It is not if we stood still meanwhile, nor behind ``over_at``, when we were asked to be over.
    """

    awake: Awake
    over_at: float = inf

    def watch(self) -> Callable[[], bool]:
        """Return what tells whether the cluster is to blame for an operation that begins now."""
        return partial(self.is_fair_since, self.awake.slept_s)

    def is_fair_since(self, slept_s: float) -> bool:
        """Whether it is to blame for one that began when we had stood still for as long as this."""
        return self.awake() < self.over_at and not self.stood_still_since(slept_s)

    def stood_still_since(self, slept_s: float) -> bool:
        """Whether we stood still since we had done so for as long as this."""
        return self.awake.slept_s - slept_s > PAUSE_S
