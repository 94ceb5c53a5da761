"""A client that writes to the cluster all the while, and tells afterwards what became of every write.

A program of its own, run on the bastion: ``python -m orchestrator.lab.prober --help``.
"""

import argparse
import json
import signal
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.lab import gateway
from orchestrator.lab.lease import KeptLease
from orchestrator.lab.reach import Reach
from orchestrator.lab.tally import ProbeReport, Tally, quantile
from orchestrator.lab.verification import lost

VERIFY_PATIENCE_S = 15.0
PROGRESS_PAUSE_S = 0.5


class Prober:
    """Write, read back, and count, until told to stop."""

    def __init__(self, reach: Reach, *, interval_s: float, lease_ttl_s: int) -> None:
        self._reach = reach
        self._interval_s = interval_s
        self._prefix = f"/prober/{uuid.uuid4().hex}/"
        self._client = reach.client()
        self._lease = KeptLease(reach.client(), f"{self._prefix[:-1]}-lease", ttl_s=lease_ttl_s, pause_s=1.0)
        self._tally = Tally(started=time.monotonic())
        self._complaints: list[str] = []

    def run(self, stop: threading.Event) -> ProbeReport:
        """Probe until told to stop, then read everything back from every member."""
        started_at = datetime.now(UTC)
        with self._client, self._lease:
            keeping = threading.Thread(target=self._lease.keep, args=(stop,))
            keeping.start()
            try:
                self._tally.started = time.monotonic()
                self._write_until(stop)
            finally:
                stop.set()
                keeping.join()
            ended = time.monotonic()
            self._lease.look()
            return self._report(started_at, ended)

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
        offered = time.monotonic()
        if client.ask("/v3/kv/put", gateway.put(key, value)) is None:
            tally.failed += 1
            self._complain(f"write {tally.attempts} failed: {client.last_refusal}")
            return
        tally.acknowledge(key, value, offered=offered, now=time.monotonic(), scheme=client.endpoint.scheme)
        tally.reads += 1
        answer = client.ask("/v3/kv/range", gateway.one(key))
        if answer is None:
            tally.failed_reads += 1
            self._complain(f"reading write {tally.attempts} failed: {client.last_refusal}")
        elif gateway.pairs(answer) != {key: value}:
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
            "endpoint": f"{self._client.endpoint.scheme}://{self._client.endpoint.address}",
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    def _report(self, started_at: datetime, ended: float) -> ProbeReport:
        tally, lease = self._tally, self._lease
        members = {address: self._reach.member(address) for address in self._reach.addresses}
        losses = lost(members, tally.acknowledged, self._prefix, patience_s=VERIFY_PATIENCE_S)
        stall_s, stall_after_s = tally.stall(ended)
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
            lease=lease.state,
            lease_renewals=lease.renewals,
            failed_lease_renewals=lease.failed_renewals,
            complaints=tuple(self._complaints),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe until SIGTERM, SIGINT or the end of standard input; then write the report."""
    options = _options(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_wait_for_end_of_input, args=(stop,), daemon=True).start()
    reach = Reach(
        addresses=tuple(options.address),
        port=options.port,
        trust=gateway.trusting(options.ca, options.certificate, options.key),
        try_timeout_s=options.try_timeout_ms / 1000,
    )
    prober = Prober(reach, interval_s=options.interval_ms / 1000, lease_ttl_s=options.lease_ttl_s)
    report = prober.run(stop)
    unfinished = options.report.with_suffix(".unfinished")
    unfinished.write_text(report.model_dump_json(indent=2) + "\n")
    unfinished.replace(options.report)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.lab.prober", description=__doc__)
    parser.add_argument("--address", action="append", required=True, help="a member's address; once for each")
    parser.add_argument("--port", type=int, default=2379, help="the members' client port")
    parser.add_argument("--ca", required=True, help="authority to trust over HTTPS")
    parser.add_argument("--certificate", required=True, help="client certificate to show over HTTPS")
    parser.add_argument("--key", required=True, help="its private key")
    parser.add_argument("--report", type=Path, required=True, help="where to write the report, as JSON")
    parser.add_argument("--interval-ms", type=float, default=10.0, help="from one write to the next")
    parser.add_argument("--try-timeout-ms", type=float, default=1000.0, help="patience with one endpoint")
    parser.add_argument("--lease-ttl-s", type=int, default=5, help="time to live of the lease")
    return parser.parse_args(arguments)


def _wait_for_end_of_input(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
