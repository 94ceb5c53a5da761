"""Measure what a large keyspace costs a run, beside none, and beside leases and watchers alone.

Usage: bench_keyspace.py [MB [TURNS]], 2000 MB of keys and one turn unless given; as root. Then: make docs.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from bench import filling, noting, watchers
from bench.bench_race import machine, times_away, waterfall_of
from bench.filled import COMPARED, EMPTY, FULL, RESULTS, USED, Filled, said
from bench.watchers import NOBODY, WatchersReport

from orchestrator.lab.hosts import journald
from orchestrator.lab.lifecycle import lab as labs
from orchestrator.lab.lifecycle import manifest
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.proof import evidence
from orchestrator.lab.proof.outcome import Outcome, shortcomings
from orchestrator.lab.proof.posts import Post
from orchestrator.lab.proof.probers import RunningProber, wait_for_all
from orchestrator.lab.provisioning.plan_copy import PLAN

THREE_MEMBERS = Path(__file__).parents[2] / "plans" / "three-members.yaml"
PREFIX, LOCAL = "ork", 4001
MEASURED, CLOCKED = "measured.json", "clocked.json"
SIZE_MB, TURNS = 2000, 1
LEASES, WATCHERS = 10_000, 5_000
COPIES = 9  # of the keys, at most, on this machine's disk: each member's database and log, snapshot, a trial
# etcd 3.4 keeps every entry since its last snapshot in memory and in its log, and takes one after 100,000. A
# keyspace that has grown over months has far fewer of its writes there than one that was written just now.
SETTINGS = {"ETCD_SNAPSHOT_COUNT": "5000"}
BEHIND_EVERYTHING_S = 15.0


def main(size_mb: int, turns: int) -> int:
    """Measure; fail if a run did, or does not stand the audit."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once, not at each call
    free_mb = shutil.disk_usage(manifest.WORK.parent).free >> 20
    if free_mb < COPIES * size_mb:
        sys.stdout.write(f"{free_mb} MB are free, which is not enough for {size_mb} MB of keys: ")
        size_mb = free_mb // COPIES
        sys.stdout.write(f"measuring with {size_mb} MB\n")
    is_good = True
    for turn in range(1, turns + 1):
        for keyspace in (EMPTY, USED, FULL, COMPARED):
            row = run(keyspace, turn, size_mb if keyspace in {FULL, COMPARED} else 0)
            RESULTS.add(row)
            RESULTS.write()
            is_good = is_good and not (row.proof and keyspace != COMPARED)  # which shows what that costs
            sys.stdout.write(said(row))
            sys.stdout.flush()
    return 0 if is_good else 1


def run(keyspace: str, turn: int, size_mb: int) -> Filled:
    """Fill fresh hosts, migrate them, and return what that came to."""
    labs.down(PREFIX)
    quota = {"ETCD_QUOTA_BACKEND_BYTES": str((2 * size_mb + 2048) << 20)}
    lab = Lab.up(THREE_MEMBERS, prefix=PREFIX, extra_settings={**SETTINGS, **quota})
    try:
        used = filling.filled(lab, size_mb, 0 if keyspace == EMPTY else LEASES)
        if keyspace == COMPARED:
            lab.plan.write_text(f"{lab.plan.read_text()}compare_data: true\n")
        row = migrated(lab, used, {"keyspace": keyspace, "turn": turn})
    finally:
        labs.down(PREFIX)
    return row


def migrated(lab: Lab, used: filling.Used, about: Mapping[str, object]) -> Filled:
    """Migrate it while a client writes and others watch, and return what that came to."""
    starts = {host.name: journald.starts(host) for host in lab.members}
    load, logs = os.getloadavg()[0], lab.directory / "logs"
    writer = RunningProber.start(lab, Post("writer", lab.bastion, "v3", module=noting.__name__))
    crowd = [RunningProber.start(lab, _watching(lab, WATCHERS))] if used.leases else []
    try:
        wait_for_all([writer, *crowd], for_s=1.0, timeout_s=120.0)
        began = time.monotonic()
        exit_code = lab.execute(command(lab), log=logs / "run.log")
        took_s = time.monotonic() - began
        if exit_code != 0:
            said_last = (logs / "run.log").read_text(errors="replace")[-3000:]
            raise SystemExit(f"exit {exit_code}\n{said_last}")
        with suppress(LabError):  # a cluster that takes no writes any more is a result too
            wait_for_all([writer, *crowd], for_s=1.0, timeout_s=BEHIND_EVERYTHING_S)
        watched = _of_watchers(lab, crowd)
        probe = writer.stop()
    finally:
        for each in (writer, *crowd):
            each.kill()
    members = evidence.of_members(lab, starts)
    outcome = Outcome(lab.cluster, members, probe, exit_code, took_s, took_s=took_s)
    return _filled(lab, used, outcome, {**about, **watched, "load": round(load, 1)})


def _of_watchers(lab: Lab, crowd: Sequence[RunningProber]) -> Mapping[str, Any]:
    """Ask the members how many they hold, stop whoever watches, and return what that says of a run."""
    held = [round(filling.metric(host, LOCAL, "etcd_debugging_mvcc_watcher_total")) for host in lab.members]
    report = crowd[0].finish(WatchersReport) if crowd else NOBODY
    return {
        "watchers": report.watchers,
        "watchers_held": tuple(held),
        "streams_begun": report.begun,
        **{name: getattr(report, name) for name in ("delivered", "missed", "repeated", "silence_s")},
    }


def command(lab: Lab) -> list[str]:
    """Return the command line of a run, which is measured and clocked."""
    measured = [sys.executable, "-m", "bench.measured", str(lab.directory / MEASURED)]
    clocked = [sys.executable, "-m", "bench.clocked", str(lab.directory / CLOCKED)]
    return [*measured, *clocked, "run", PLAN, "--yes", "--cut-off"]


def _watching(lab: Lab, count: int) -> Post:
    return Post(
        "watchers",
        lab.bastion,
        "v3",
        module=watchers.__name__,
        options=("--watchers", str(count), "--try-timeout-ms", "5000"),
    )


def _filled(lab: Lab, used: filling.Used, outcome: Outcome, about: Mapping[str, Any]) -> Filled:
    cost = json.loads((lab.directory / MEASURED).read_text())
    own = json.loads((lab.directory / CLOCKED).read_text())
    times = json.loads(noting.times_beside(lab.directory / "prober-writer.json").read_text())
    probe, kept = outcome.probe, filling.snapshot(lab.members[0])
    left = filling.leases(lab.members[0], LOCAL) if used.leases else frozenset[str]()
    (saved,) = own["saved"]
    return Filled(
        **about,
        machine=machine(),
        asked_mb=used.keys_mb,
        database_mb=used.database_mb,
        filled_s=used.filled_s,
        proof=shortcomings(outcome),
        wall_s=cost["wall_s"],
        cpu_s=cost["cpu_s"],
        memory_mb=cost["memory_mb"],
        process_mb=own["rss_mb"],
        snapshot_mb=kept.size_mb,
        saved_s=round(saved[1] - saved[0], 3),
        saving_s=kept.took_s,
        compared_s=tuple(round(ended - began, 3) for began, ended in own["compared"]),
        away_s=tuple(chain.from_iterable(times_away(host, cost["began_at"]) for host in lab.members)),
        stall_s=round(probe.longest_stall_s, 3),
        stall_comparing_s=max(noting.longest_stall(times, *window) for window in own["compared"]),
        stall_saving_s=noting.longest_stall(times, *saved),
        latency_ms=round(probe.median_latency_s * 1000, 1),
        writes=probe.attempts,
        failed=probe.failed,
        failed_reads=probe.failed_reads,
        lost=probe.lost,
        leases=len(used.leases),
        leases_lost=len(used.leases - left),
        members_mb=tuple(
            round(filling.metric(host, LOCAL, "process_resident_memory_bytes") / 2**20)
            for host in lab.members
        ),
        waterfall=waterfall_of(lab, cost),
    )


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(*given, *(SIZE_MB, TURNS)[len(given) :])))
