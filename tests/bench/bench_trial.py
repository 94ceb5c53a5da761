"""What trials cost the members beside them: a writing client's stalls, and the slowest disk work.

The same lab and the same client, in turns: as long as nothing is done, and as long as the round 'prove' takes
and its trials run. Disk times are upper ends of etcd's own histogram buckets, over all members.
Usage: bench_trial.py [TURNS], three unless told; as root.
"""

import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.proof.probers import RunningProber
from orchestrator.lab.provisioning.plan_copy import PLAN

THREE_MEMBERS = Path(__file__).parents[2] / "plans" / "three-members.yaml"
SPELL_S = 20.0
FSYNC, COMMIT = "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds"
_BUCKET = re.compile(r'^(\w+)_bucket\{le="([^"]+)"\} (\d+)', re.MULTILINE)
Buckets = Mapping[tuple[str, str, float], int]


def main(turns: int) -> int:
    lab = Lab.up(THREE_MEMBERS, prefix="orb")
    try:
        orchestrated(lab, "run", PLAN, "--yes", "--until", "staged")
        sys.stdout.write("turn  trial    spell_s  stall_s  p99_s   fsync_s  commit_s  writes  failed  lost\n")
        for turn in range(1, turns + 1):
            spell(lab, turn, "without")
            spell(lab, turn, "with")
    finally:
        lab.down()
    return 0


def spell(lab: Lab, turn: int, how: str) -> None:
    """Let a client write for a while, with or without trials beside the members, and print what it saw."""
    before, began = buckets(lab), time.monotonic()
    prober = RunningProber.start(lab)
    try:
        prober.wait_for_writes()
        if how == "with":
            orchestrated(lab, "run", PLAN, "--resume", "--until", "proven")
        time.sleep(max(1.0, SPELL_S - (time.monotonic() - began)))
        took_s, after = time.monotonic() - began, buckets(lab)
        report = prober.stop()
    finally:
        prober.kill()
    if how == "with":
        orchestrated(lab, "rollback", PLAN, "--yes")
        orchestrated(lab, "run", PLAN, "--yes", "--until", "staged")
    sys.stdout.write(
        f"{turn:4}  {how:7}  {took_s:7.1f}  {report.longest_stall_s:7.3f}  {report.p99_latency_s:5.3f}  "
        f"{slowest(before, after, FSYNC):7.3f}  {slowest(before, after, COMMIT):8.3f}  "
        f"{report.attempts:6}  {report.failed:6}  {report.lost:4}\n"
    )
    sys.stdout.flush()


def orchestrated(lab: Lab, *arguments: str) -> None:
    done = lab.run([sys.executable, "-m", "orchestrator", *arguments], check=False, timeout_s=300.0)
    if done.returncode != 0:
        raise SystemExit(f"{arguments}: exit {done.returncode}\n{done.stderr}")


def buckets(lab: Lab) -> Buckets:
    """How often a member's disk work took up to so many seconds."""
    found = {}
    for host in lab.hosts:
        port = lab.cluster.ports.client
        text = host.run(["curl", "--silent", "--fail", f"http://127.0.0.1:{port}/metrics"]).stdout
        for name, limit, count in _BUCKET.findall(text):
            if name in {FSYNC, COMMIT}:
                found[host.name, name, float(limit)] = int(count)
    return found


def slowest(before: Buckets, after: Buckets, name: str) -> float:
    """Return the smallest limit that nothing in between has exceeded, on any member."""
    hosts = {host for host, _, _ in after}

    def is_within(limit: float) -> bool:
        def new(host: str, at: float) -> int:
            return after[host, name, at] - before[host, name, at]

        return all(new(host, limit) == new(host, float("inf")) for host in hosts)

    return min(limit for _, one, limit in after if one == name and is_within(limit))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
