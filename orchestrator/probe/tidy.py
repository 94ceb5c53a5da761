"""A prober for somebody else's cluster: what it writes is little, stays below its prefix, and goes away."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from math import inf

from orchestrator.probe import v3
from orchestrator.probe.awake import Awake, Fairness
from orchestrator.probe.http_session import Request
from orchestrator.probe.prober import Prober
from orchestrator.probe.reach import Reach
from orchestrator.probe.tally import Tally
from orchestrator.probe.v3 import KeptLease
from orchestrator.probe.verification import Loss, lost

KEEPS = 100  # keys; each write takes away the one so many before it
TTL_S = 30  # whatever is left by a probe that was killed goes after that
RENEW_S = 1.0  # between two renewals of the lease
PATIENCE_S = 5.0  # with a member that is read from at the end


class TidyProber(Prober):
    """Its keys go with its lease, and are few; at the end all of them are removed."""

    def __init__(self, reach: Reach, prefix: str, *, interval_s: float, awake: Awake) -> None:
        self._awake, self._fairness = awake, Fairness(awake)
        reach = replace(reach, clock=awake, watch=self._fairness.watch)
        super().__init__(
            reach, v3, interval_s=interval_s, lease_ttl_s=TTL_S, tell=lambda _: None, prefix=prefix
        )
        lease = self._lease
        if not isinstance(lease, KeptLease):
            raise TypeError("v3 keeps keys alive by leases")
        self.lease = lease
        self._written: deque[str] = deque()
        self._over_at = inf
        self._kept_at_s = 0.0  # how long we had stood still when the lease was last renewed
        self._woken_at_s = 0.0  # the same when the writer last saw a pause
        self._woke = 0.0  # when that was

    @property
    def tally(self) -> Tally:
        """What it has counted so far."""
        return self._tally

    @property
    def failed(self) -> int:
        """How many operations were given up."""
        return self._tally.failed + self._tally.failed_reads + self.lease.failed_renewals

    @property
    def complaints(self) -> tuple[str, ...]:
        """What was wrong, the first ones first."""
        return tuple(self._complaints)

    def begin(self) -> str:
        """Get a lease, write once and read that back; return why that cannot be done, or nothing."""
        self._kept_at_s = self._woken_at_s = self._awake.slept_s
        self.lease.grant()
        if self.lease.state == "alive":
            self._probe_once()
        tally = self._tally
        if self.lease.state == "alive" and not tally.failed + tally.failed_reads + tally.wrong_reads:
            return ""
        return (
            self._client.last_refusal
            or self.lease.last_refusal
            or "; ".join(self._complaints)
            or "no answer in time"
        )

    def keep(self, stop: threading.Event) -> None:
        """Keep the lease alive until asked to stop; one that expired while we stood still is replaced."""
        with self.lease:
            while self.lease.state == "alive" and not stop.wait(RENEW_S):
                slept_s, since = self._awake.slept_s, self._kept_at_s
                if self.lease.renew(partial(self._fairness.is_fair_since, since)) or (
                    self._fairness.stood_still_since(since) and self._has_lease_anew()
                ):
                    self._kept_at_s = slept_s

    def end_by(self, at: float, removing_s: float) -> None:
        """Be over by then, with so much of the time left to take everything away."""
        self._over_at = at
        self._fairness.over_at = at - removing_s

    def remove(self) -> bool:
        """Take away everything below the prefix; tell whether that is done."""
        self._fairness.over_at = self._over_at
        return not self.lease.id or self._client.ask(v3.remove(self._prefix)) is not None

    def let_go(self) -> None:
        """Give the lease back, which nobody keeps alive any more."""
        with self._client as client, self.lease:
            if self.lease.id:
                client.ask(v3.revoke(self.lease.id))

    @contextmanager
    def _kept_alive(self, stop: threading.Event) -> Iterator[None]:  # noqa: ARG002 -- it goes on behind that
        """Leave that to ``keep``, which goes on until everything is taken away."""
        yield

    def _probe_once(self) -> None:
        """Write, unless we stood still: then the lease has to be kept first, and its keys may be gone."""
        if not self._fairness.stood_still_since(self._kept_at_s):
            super()._probe_once()
            return
        if self._fairness.stood_still_since(self._woken_at_s):
            self._woken_at_s, self._woke = self._awake.slept_s, self._clock()
        if self._clock() - self._woke < PATIENCE_S:
            self._tally.rest(self._clock())

    def _has_lease_anew(self) -> bool:
        """Get another lease, and forget what was written with the one before; tell whether that was done."""
        is_granted = self.lease.grant()
        self._tally.acknowledged.clear()
        return is_granted

    def _put(self, key: str, value: str) -> Request:
        self._written.append(key)
        dropped = self._written.popleft() if len(self._written) > KEEPS else f"{self._prefix}none"
        self._tally.acknowledged.pop(dropped, None)
        return v3.replace(key, value, lease=self.lease.id, dropped=dropped)

    def _lost(self) -> tuple[Loss, ...]:
        """Return what a member that answers does not give; one that is away says nothing."""
        known, found, is_fair = dict(self._tally.acknowledged), list[Loss](), self._fairness.watch()
        for address in self._reach.addresses:
            left_s = self._fairness.over_at - self._clock()
            if left_s > 0:
                member = {address: self._reach.ways_now(address)}
                patience_s = min(PATIENCE_S, left_s)
                found += lost(member, known, self._prefix, v3, patience_s=patience_s, must_answer=False)
        return tuple(found) if is_fair() else ()
