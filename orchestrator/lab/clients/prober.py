"""A client that writes to the cluster all the while, and tells afterwards what became of every write."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime

from orchestrator.lab.clients.api import Dialect
from orchestrator.lab.clients.history import contradictions, missed
from orchestrator.lab.clients.reach import Reach
from orchestrator.lab.clients.tally import ProbeReport, Tally, longest_gap, quantile
from orchestrator.lab.clients.verification import lost
from orchestrator.lab.clients.witness import Witness
from orchestrator.output import out

VERIFY_PATIENCE_S = 60.0  # a member that cannot be read counts as one that lost everything
PROGRESS_PAUSE_S = 0.5


class Prober:
    """Write, read back, and count, until told to stop."""

    def __init__(
        self,
        reach: Reach,
        dialect: Dialect,
        *,
        interval_s: float,
        lease_ttl_s: int,
        witness: Witness | None = None,
        tell: Callable[[str], None] = out,
    ) -> None:
        """Without a time to live no lease is kept; without a witness nothing is watched."""
        self._reach = reach
        self._dialect = dialect
        self._interval_s = interval_s
        self._prefix = f"/prober/{uuid.uuid4().hex}/"
        self._client = reach.client()
        key = f"{self._prefix[:-1]}-lease"
        self._lease = dialect.kept(reach.client(), key, ttl_s=lease_ttl_s) if lease_ttl_s else None
        self._witness = witness
        self._tell_of = tell
        self._tally = Tally(started=time.monotonic())
        self._complaints: list[str] = []

    @property
    def acknowledged(self) -> int:
        """How many of its writes were acknowledged up to now."""
        return len(self._tally.times)

    def run(self, stop: threading.Event) -> ProbeReport:
        """Probe until told to stop, then read everything back from every member."""
        started_at = datetime.now(UTC)
        with self._client, self._kept_alive(stop), self._watched():
            self._tally.started = time.monotonic()
            self._write_until(stop)
            ended = time.monotonic()
        return self._report(started_at, ended)

    @contextmanager
    def _kept_alive(self, stop: threading.Event) -> Iterator[None]:
        """Keep the lease alive meanwhile, if there is one, and look for it at the end."""
        if self._lease is None:
            yield
            return
        with self._lease as lease:
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
        due, told = time.monotonic(), 0.0
        while not stop.is_set():
            self._probe_once()
            now = time.monotonic()
            if now - told >= PROGRESS_PAUSE_S:
                told = now
                self._tell(now)
            due = max(due + self._interval_s, now)
            stop.wait(due - now)

    def _probe_once(self) -> None:
        """Offer one write; if it is acknowledged, read it back."""
        tally, client = self._tally, self._client
        tally.attempts += 1
        key, value = f"{self._prefix}{tally.attempts:09d}", uuid.uuid4().hex
        offered, failed_tries = time.monotonic(), client.failovers
        answer, now = client.ask(self._dialect.put(key, value)), time.monotonic()
        if self._witness:
            tries = client.failovers - failed_tries + (answer is not None)
            self._witness.wrote((key, value), (offered, now), tries, answer)
        if answer is None:
            tally.failed += 1
            tally.failed_at.append(time.time())
            self._complain(f"write {tally.attempts} failed: {client.last_refusal}")
            return
        tally.acknowledge(key, value, offered=offered, now=now, scheme=client.endpoint.scheme)
        self._read_back(key, value)

    def _read_back(self, key: str, value: str) -> None:
        tally, client = self._tally, self._client
        tally.reads += 1
        began = time.monotonic()
        answer = client.ask(self._dialect.get(key))
        if answer is None:
            tally.failed_reads += 1
            tally.failed_at.append(time.time())
            self._complain(f"reading write {tally.attempts} failed: {client.last_refusal}")
            return
        found = self._dialect.pairs(answer)
        if self._witness:
            self._witness.read(key, found.get(key), (began, time.monotonic()), answer)
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
            "acknowledged": len(tally.times),
            "failed": tally.failed,
            "failovers": self._client.failovers,
            "endpoint": str(self._client.endpoint),
        }
        self._tell_of(json.dumps(line))

    def _report(self, started_at: datetime, ended: float) -> ProbeReport:
        tally, lease = self._tally, self._lease
        members = {address: self._reach.member(address) for address in self._reach.addresses}
        losses = lost(members, tally.acknowledged, self._prefix, self._dialect, patience_s=VERIFY_PATIENCE_S)
        stall_s, stall_after_s = tally.stall(ended)
        history = self._witness.history if self._witness else None
        contradicting = tuple(contradictions(history)) if history else ()
        return ProbeReport(
            started_at=started_at.isoformat(timespec="milliseconds"),
            took_s=ended - tally.started,
            attempts=tally.attempts,
            acknowledged=len(tally.times),
            failed=tally.failed,
            lost=len({loss.key for loss in losses}),
            lost_examples=tuple(map(str, losses[:10])),
            longest_stall_s=stall_s,
            longest_stall_after_s=stall_after_s,
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
            longest_gap_s=longest_gap([tally.started, *tally.times])[0],
            failed_at=tuple(tally.failed_at),
        )
