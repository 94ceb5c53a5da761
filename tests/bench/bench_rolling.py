"""Measure whole runs against the number of hosts: 3, 5 and 7 members, and up to 200 booted hosts of clients.

Usage: bench_rolling.py [TURNS] [HOSTS…], one turn, 10, 50 and 200 hosts unless given; as root. Every run
has fresh hosts. Then: make docs.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import bench_growth, booted_hosts
from bench.bench_race import events_of, machine
from bench.rolled import RESULTS, Rolled, restarting_at_once, rounds_of, under_way_at_once

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

MOVING = "move-clients-elsewhere"
# For how long a client has to be well behind its move. Most plans leave it at the second, which is the
# program's own: that is a wait for each host, so all others are measured with the first.
SHORT_S, USUAL_S = 1.0, 10.0
HOSTS, TURNS = (10, 50, 200), 1
INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
ROOM = 4096  # a booted host has seven of them, and root has 128 for all hosts together


def main(turns: int, hosts: Sequence[int]) -> int:
    """Measure; fail if a run did, or left a client where it was."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once, not at each call
    rows: list[Rolled] = []
    with room():
        for size in sizes(turns, hosts):
            row = run(*size)
            rows.append(row)
            RESULTS.add(row)
            RESULTS.write()
            sys.stdout.write(said(row))
            sys.stdout.flush()
    return 0 if all(row.exit_code == 0 and row.moved == row.hosts for row in rows) else 1


def sizes(turns: int, hosts: Sequence[int]) -> Iterator[tuple[int, int, int, float]]:
    """Yield members, hosts, turn, and for how long a client is watched."""
    for turn in range(1, turns + 1):
        for members in (3, 5, 7):
            yield members, 0, turn, SHORT_S
        for count in hosts:
            yield 3, count, turn, SHORT_S
        yield 3, min(hosts), turn, USUAL_S


@contextmanager
def room() -> Iterator[None]:
    """Let this machine's root watch more files than its kernel allows, and as many as before afterwards."""
    before = INSTANCES.read_text()
    INSTANCES.write_text(f"{max(int(before), ROOM)}\n")
    try:
        yield
    finally:
        INSTANCES.write_text(before)


def run(members: int, hosts: int, turn: int, quiet_s: float) -> Rolled:
    """Boot the hosts, migrate all of them, and return what it came to."""
    with bench_growth.booted(members=members) as lab:
        booted = booted_hosts.boot(lab, hosts)
        if booted:
            lab.plan.write_text(watched(lab.plan.read_text(), quiet_s))
        load = os.getloadavg()[0]
        exit_code, cost = bench_growth.measured_call(lab, "run", PLAN, "--yes", "--cut-off")
        moved = booted_hosts.holding(lab, booted, booted_hosts.NEW)
        row = _rolled(
            lab, (members, hosts, turn), {**cost, "quiet_s": quiet_s, "load": load}, exit_code, moved
        )
        booted_hosts.end(booted)
    return row


def watched(text: str, quiet_s: float) -> str:
    """Return a plan whose clients have to be well for that long behind their move."""
    return f"{text}watch: {{quiet: {quiet_s:g}s}}\n"


def _rolled(
    lab: Lab, size: tuple[int, int, int], cost: dict[str, float], exit_code: int, moved: int
) -> Rolled:
    events = events_of(lab)
    return Rolled(
        *size,
        quiet_s=cost["quiet_s"],
        machine=machine(),
        load=round(cost["load"], 1),
        exit_code=exit_code,
        moved=moved,
        wall_s=cost["wall_s"],
        cpu_s=cost["cpu_s"],
        memory_mb=cost["rss_mb"],
        openings=int(cost["openings"]),
        connections=int(cost["connections"]),
        turns=int(cost["turns"]),
        restarting=restarting_at_once(events),
        moving=under_way_at_once(events, MOVING),
        state_kb=(lab.directory / f"{PLAN}.state.jsonl").stat().st_size // 1024,
        rounds=rounds_of(events, cost["began_at"], cost["wall_s"]),
    )


def said(row: Rolled) -> str:
    """Return what one run came to, for whoever watches."""
    return (
        f"{row.members} + {row.hosts:3}, watched {row.quiet_s:g} s  load {row.load:4.1f}  "
        f"exit {row.exit_code}  moved {row.moved}  wall {row.wall_s:7.1f} s  cpu {row.cpu_s:6.2f} s  "
        f"{row.memory_mb:5.1f} MB  {row.openings:2} opening at once, {row.connections} connections, "
        f"{row.turns} turns  {row.restarting} restarting, {row.moving} moving at once  "
        f"state {row.state_kb} KB\n    "
        + "  ".join(f"{name} {seconds:.1f}" for name, seconds in row.rounds)
        + "\n"
    )


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(given[0] if given else TURNS, given[1:] or HOSTS))
