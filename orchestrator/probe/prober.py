"""A client that writes to the cluster all the while, and tells afterwards what became of every write."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime

from orchestrator.output import out
from orchestrator.probe.api import Dialect
from orchestrator.probe.history import contradictions, missed
from orchestrator.probe.http_session import Request
from orchestrator.probe.reach import Reach
from orchestrator.probe.tally import ProbeReport, Tally, quantile
from orchestrator.probe.verification import Loss, lost
from orchestrator.probe.witness import Witness

VERIFY_PATIENCE_S = 60.0  # a member that cannot be read counts as one that lost everything
PROGRESS_PAUSE_S = 0.5


class Prober:
    """Write, read back, and count, until told to stop."""

    def __init__(  # noqa: PLR0913 -- named options
        self,
        reach: Reach,
        dialect: Dialect,
        *,
        interval_s: float,
        lease_ttl_s: int,
        witness: Witness | None = None,
        tell: Callable[[str], None] = out,
        prefix: str = "",
    ) -> None:
        """Without a time to live no lease is kept; without a witness nothing is watched.

        Without a ``prefix`` it makes one up, and the lease's key is beside it: a watch sees its writes alone.
        """
        self._reach, self._clock = reach, reach.clock
        self._dialect = dialect
        self._interval_s = interval_s
        self._prefix = prefix or f"/prober/{uuid.uuid4().hex}/"
        self._client = reach.client()
        key = f"{self._prefix}lease" if prefix else f"{self._prefix[:-1]}-lease"
        self._lease = dialect.kept(reach.client(), key, ttl_s=lease_ttl_s) if lease_ttl_s else None
        self._witness = witness
        self._tell_of = tell
        self._tally = Tally(self._clock())
        self._complaints: list[str] = []

    @property
    def acknowledged(self) -> int:
        """How many of its writes were acknowledged up to now."""
        return self._tally.writes

    def run(self, stop: threading.Event) -> ProbeReport:
        """Probe until told to stop, then read everything back from every member."""
        started_at = datetime.now(UTC)
        with self._client, self._kept_alive(stop), self._watched():
            self._tally.start(self._clock())
            self._write_until(stop)
            self._tally.ended = ended = self._clock()
        return self._report(started_at, ended)

    @contextmanager
    def _kept_alive(self, stop: threading.Event) -> Iterator[None]:
        """Keep the lease alive meanwhile, if there is one, and look for it at the end."""
        if self._lease is None:
            yield
            return
        with self._lease as lease:
            if lease.state != "alive":
                lease.grant()
            keeping = threading.Thread(target=lease.keep, args=(stop,))
            keeping.start()
            try:
                yield
            finally:
                stop.set()
                keeping.join()
            lease.look()

    def _watched(self) -> AbstractContextManager[None]:
        if self._witness is None:
            return nullcontext()
        return self._witness.watching(self._prefix, self._client.ask(self._dialect.get(self._prefix)))

    def _write_until(self, stop: threading.Event) -> None:
        due, told = self._clock(), 0.0
        while not stop.is_set():
            self._probe_once()
            now = self._clock()
            if now - told >= PROGRESS_PAUSE_S:
                told = now
                self._tell(now)
            due = max(due + self._interval_s, now)
            stop.wait(due - now)

    def _probe_once(self) -> None:
        """Offer one write; if it is acknowledged, read it back."""
        tally, client, is_fair = self._tally, self._client, self._reach.watch()
        tally.attempts += 1
        key, value = f"{self._prefix}{tally.attempts:09d}", uuid.uuid4().hex
        offered, failed_tries = self._clock(), client.failovers
        answer, now = client.ask(self._put(key, value)), self._clock()
        if self._witness:
            tries = client.failovers - failed_tries + (answer is not None)
            self._witness.wrote((key, value), (offered, now), tries, answer)
        if not is_fair():
            return
        if answer is None:
            tally.failed += 1
            tally.failed_at.append(time.time())
            self._complain(f"write {tally.attempts} failed: {client.last_refusal}")
            return
        tally.acknowledge(key, value, offered=offered, now=now, scheme=client.endpoint.scheme)
        self._read_back(key, value, is_fair)

    def _put(self, key: str, value: str) -> Request:
        """Return what writes a key."""
        return self._dialect.put(key, value)

    def _read_back(self, key: str, value: str, is_fair: Callable[[], bool]) -> None:
        tally, client = self._tally, self._client
        tally.reads += 1
        began = self._clock()
        answer = client.ask(self._dialect.get(key))
        if not is_fair():
            return
        if answer is None:
            tally.failed_reads += 1
            tally.failed_at.append(time.time())
            self._complain(f"reading write {tally.attempts} failed: {client.last_refusal}")
            return
        found = self._dialect.pairs(answer)
        if self._witness:
            self._witness.read(key, found.get(key), (began, self._clock()), answer)
        if found != {key: value}:
            tally.wrong_reads += 1
            self._complain(f"reading write {tally.attempts} gave {dict(answer)}")

    def _complain(self, what: str) -> None:
        if len(self._complaints) < 20:
            self._complaints.append(what)

    def _tell(self, now: float) -> None:
        """Print one line of progress: JSON, so that whoever started the prober can follow it."""
        tally = self._tally
        line = {
            "after_s": round(now - tally.started, 3),
            "acknowledged": tally.writes,
            "failed": tally.failed,
            "failovers": self._client.failovers,
            "endpoint": str(self._client.endpoint),
            "plain_s": dict(self._reach.spoken.plain_s()),
        }
        self._tell_of(json.dumps(line))

    def _lost(self) -> tuple[Loss, ...]:
        """Return every acknowledged write that is not to be read from every member."""
        members = {address: self._reach.member(address) for address in self._reach.addresses}
        known = self._tally.acknowledged
        return lost(members, known, self._prefix, self._dialect, patience_s=VERIFY_PATIENCE_S)

    def _report(self, started_at: datetime, ended: float) -> ProbeReport:
        tally, lease = self._tally, self._lease
        losses = self._lost()
        stall = tally.stall(ended)
        history = self._witness.history if self._witness else None
        contradicting = tuple(contradictions(history)) if history else ()
        return ProbeReport(
            started_at=started_at.isoformat(timespec="milliseconds"),
            took_s=ended - tally.started,
            attempts=tally.attempts,
            acknowledged=tally.writes,
            failed=tally.failed,
            lost=len({loss.key for loss in losses}),
            lost_examples=tuple(map(str, losses[:10])),
            longest_stall_s=stall.took_s,
            longest_stall_after_s=stall.after_s,
            median_latency_s=quantile(tally.latencies, 0.5),
            p99_latency_s=quantile(tally.latencies, 0.99),
            failovers=self._client.failovers,
            writes_over=tally.writes_over,
            reads=tally.reads,
            failed_reads=tally.failed_reads,
            wrong_reads=tally.wrong_reads,
            lease=lease.state if lease else "none",
            lease_renewals=lease.renewals if lease else 0,
            failed_lease_renewals=lease.failed_renewals if lease else 0,
            watched=len(history.events) if history else 0,
            contradictions=len(contradicting),
            contradiction_examples=contradicting[:10],
            complaints=tuple(self._complaints),
            missed=len(missed(history)) if history else 0,
            longest_gap_s=tally.longest_gap.took_s,
            failed_at=tuple(tally.failed_at),
        )
