"""Clients of every kind at once, as a program: ``python -m orchestrator.lab.clients.crowd --help``."""

import argparse
import json
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from orchestrator.lab.clients import probe
from orchestrator.lab.clients.contest import ELECTION, LOCK, Contest
from orchestrator.lab.clients.etcdctl import Etcdctl
from orchestrator.lab.clients.standing import LOOK_S, TTL_S, CronPut, GrpcLease, GrpcWatch
from orchestrator.output import out
from orchestrator.probe import v3
from orchestrator.probe.history import Write
from orchestrator.probe.prober import PROGRESS_PAUSE_S, Prober
from orchestrator.probe.reach import Reach
from orchestrator.probe.tally import ClientReport, CrowdReport
from orchestrator.probe.watch import Watch
from orchestrator.probe.witness import PATIENCE_S, Witness

PLAIN = "http for good"
SYNCED = "AutoSync"
SHORT = "short connections"
CRON_PAUSE_S = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Let all of them use the cluster until SIGTERM, SIGINT or the end of standard input; then report."""
    made = probe.parser("orchestrator.lab.clients.crowd", main.__doc__ or "")
    for kind in ("plain", "synced"):
        made.add_argument(f"--{kind}-address", default="", help=f"where the {kind} client comes from")
    made.add_argument("--etcdctl", type=Path, help="etcdctl of v3 for gRPC clients; none run without it")
    options = made.parse_args(arguments)
    stop = probe.stopping()
    reach = probe.moving(probe.of(options), stop)
    crowd = Crowd(reach, options)
    with ThreadPoolExecutor() as pool:
        running = {kind: pool.submit(each.run, stop) for kind, each in crowd.probers.items()}
        with crowd.grpc(stop) as grpc:
            crowd.tell_until(stop)
        reports = {
            kind: ClientReport.of(kind, each.result(), is_cut_off=kind == PLAIN)
            for kind, each in running.items()
        }
    watches = crowd.of_watch(reports[SHORT])
    probe.leave(CrowdReport(clients=(*reports.values(), *watches, *grpc)), options.report)
    return 0


class Crowd:
    """The clients; those by JSON are probers, those by gRPC are etcdctl's."""

    def __init__(self, reach: Reach, options: argparse.Namespace) -> None:
        self._reach = reach
        self._is_v3 = options.api == "v3"
        self._etcdctl = self._called(options) if options.etcdctl and self._is_v3 else None
        self._interval_s = options.interval_ms / 1000
        self._dialect = probe.DIALECTS[options.api]
        self._watches: list[GrpcWatch] = []
        self._short = self._witness_of_short()
        self.probers = {
            PLAIN: self._prober(replace(reach, kind="plain", source=options.plain_address)),
            SYNCED: self._prober(replace(reach, kind="synced", source=options.synced_address)),
            SHORT: self._prober(replace(reach, is_short=True), self._short),
        }

    def tell_until(self, stop: threading.Event) -> None:
        """Print how far the least advanced one is, until told to stop; for whoever started us."""
        began = time.monotonic()
        while not stop.wait(PROGRESS_PAUSE_S):
            counts = [each.acknowledged for each in self.probers.values()]
            line = {"after_s": round(time.monotonic() - began, 3), "acknowledged": min(counts)}
            out(json.dumps({**line, "plain_s": dict(self._reach.spoken.plain_s())}))

    @contextmanager
    def grpc(self, stop: threading.Event) -> Iterator[list[ClientReport]]:
        """Let the gRPC clients work meanwhile, if there are any; their reports are there behind the end."""
        reports: list[ClientReport] = []
        if self._etcdctl is None:
            yield reports
            return
        name = f"/prober/{uuid.uuid4().hex}"
        contests = [
            Contest(form, self._etcdctl, f"{name}/{form.kind.split()[-1]}") for form in (LOCK, ELECTION)
        ]
        cron = CronPut(self._etcdctl, f"{name}-cron", pause_s=CRON_PAUSE_S, patience_s=self._reach.patience_s)
        with self._reach.client() as client, self._reach.client() as of_lease:
            lease = GrpcLease(self._etcdctl, v3.KeptLease(of_lease, f"{name}-lease", ttl_s=TTL_S))
            before = client.ask(v3.get(name))
            after = v3.revision(before) if before else 0
            watch = Watch(self._reach.choice(), v3, f"{name}/", after)
            following = threading.Thread(target=watch.follow)
            writing = threading.Thread(target=cron.run, args=(stop,))
            tending = threading.Thread(target=_tend, args=((lease, *contests), stop))
            for thread in (following, writing, tending):
                thread.start()
            try:
                yield reports
            finally:
                stop.set()
                tending.join()
                lease.end()
                of_lease_lost = lease.lost()  # at once: nobody renews it now
                for each in contests:
                    each.end()
                last = client.ask(v3.put(f"{name}/end", ""))
                watch.see(v3.revision(last) if last else 0, PATIENCE_S)
                following.join()
                writing.join()
            reports.append(lease.count.report(broken=of_lease_lost))
            reports += [each.report(watch.events, self._writes()) for each in contests]
            reports.append(cron.count.report())

    def of_watch(self, short: ClientReport) -> Iterator[ClientReport]:
        """Yield what etcdctl's watch went through: it is the witness of the short connections' writes."""
        for watch in self._watches:
            yield watch.count.report(missed=short.missed)

    def _writes(self) -> list[Write]:
        return self._short.history.writes if self._short else []

    def _prober(self, reach: Reach, witness: Witness | None = None) -> Prober:
        return Prober(
            reach,
            self._dialect,
            interval_s=self._interval_s,
            lease_ttl_s=0,
            witness=witness or (probe.watching(reach) if self._is_v3 else None),
            tell=lambda _: None,
        )

    def _witness_of_short(self) -> Witness | None:
        if self._etcdctl is None:
            return None
        return Witness(v3, partial(self._watched, self._etcdctl))

    def _watched(self, etcdctl: Etcdctl, prefix: str, after: int) -> GrpcWatch:
        watch = GrpcWatch(etcdctl, prefix, after)
        self._watches.append(watch)
        return watch

    def _called(self, options: argparse.Namespace) -> Etcdctl | None:
        way = self._reach.way
        files = (options.ca, options.certificate, options.key)
        spoken = self._reach.spoken
        return Etcdctl(options.etcdctl, way, *files, self._reach.login, spoken) if way else None


def _tend(all_of_them: Sequence[GrpcLease | Contest], stop: threading.Event) -> None:
    while not stop.wait(LOOK_S):
        for each in all_of_them:
            each.tend()


if __name__ == "__main__":
    sys.exit(main())
