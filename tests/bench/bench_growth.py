"""Measure commands against the number of hosts: 3, 5 and 7 members, and up to 200 light hosts beside three.

Usage: bench_growth.py [TURNS] [LIGHT…], three turns, 10, 50 and 200 light hosts unless given; as root.
Then: make docs.
"""

import compileall
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import light_hosts
from bench.bench_race import machine
from bench.grown import QUICK, RESULTS, Grown
from bench.opening import CONNECTING

import orchestrator
from orchestrator.lab.lifecycle import lab as labs
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.proof.rehearsal import program
from orchestrator.lab.provisioning.plan_copy import PLAN

THREE_MEMBERS = Path(__file__).parents[2] / "plans" / "three-members.yaml"
LAST_MEMBER = "  - {name: server3, address: 198.18.0.103}\n"
PREFIX = "org"
LIGHT, TURNS, QUICK_TURNS = (10, 50, 200), 3, 10
# of a call that is only timed
UNSEEN = dict.fromkeys(("cpu_s", "rss_mb", "openings", "connections", "turns"), 0.0)
COMMANDS = {
    CONNECTING: (CONNECTING,),
    "status": ("status", PLAN),
    "check": ("check", PLAN),
    "plan": ("plan", PLAN),
}


def main(turns: int, light: Sequence[int]) -> int:
    """Measure; fail if a command did."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once, not at each call
    compileall.compile_dir(Path(orchestrator.__file__).parent, quiet=1)
    rows: list[Grown] = []
    for row in measured(turns, light):
        rows.append(row)
        RESULTS.add(row)
        RESULTS.write()
        sys.stdout.write(said(row))
        sys.stdout.flush()
    return 0 if all(row.exit_code == 0 for row in rows) else 1


def measured(turns: int, light: Sequence[int]) -> Iterator[Grown]:
    """Measure every size, in turns."""
    for members in (5, 7):
        with booted(members=members) as lab:
            for turn in range(1, turns + 1):
                yield from called(lab, (members, 0, turn))
    with booted(members=3, carrier=True) as lab, light_hosts.started(lab, max(light, default=0)) as hosts:
        bare = lab.plan.read_text()
        lab.plan.write_text(light_hosts.planned(bare, ()))
        yield from quick(lab)
        for turn in range(1, turns + 1):
            for count in (0, *light):
                lab.plan.write_text(light_hosts.planned(bare, hosts[:count]))
                yield from called(lab, (3, count, turn))


@contextmanager
def booted(*, members: int, carrier: bool = False) -> Iterator[Lab]:
    """Boot a lab of so many members, with a carrier of light hosts if there shall be some."""
    text = THREE_MEMBERS.read_text()
    more = "".join(f"  - {{name: server{n}, address: 198.18.0.{100 + n}}}\n" for n in range(4, members + 1))
    text = text.replace(LAST_MEMBER, LAST_MEMBER + more)
    if carrier:
        text += f"proxies:\n  - {{name: {light_hosts.CARRIER}, address: 198.18.0.200}}\n"
    labs.down(PREFIX)
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.yaml"
        plan.write_text(text)
        try:
            yield Lab.up(plan, prefix=PREFIX)
        finally:
            labs.down(PREFIX)


def called(lab: Lab, size: tuple[int, int, int]) -> Iterator[Grown]:
    """Call each command on the bastion, for so many members and light hosts, in that turn."""
    for name, arguments in COMMANDS.items():
        load = os.getloadavg()[0]
        yield _grown(name, size, load, *measured_call(lab, *arguments))


def measured_call(lab: Lab, *arguments: str) -> tuple[int, dict[str, float]]:
    """Call the program on the bastion; return its exit code and what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        report, own, log = (Path(folder) / each for each in ("report.json", "own.json", "log"))
        measuring = [sys.executable, "-m", "bench.measured", str(report)]
        calling = [sys.executable, "-m", "bench.opening", str(own), *arguments]
        exit_code = lab.execute([*measuring, *calling], log=log)
        if exit_code != 0:
            sys.stderr.write(log.read_text(errors="replace")[-3000:])
        return exit_code, {**json.loads(report.read_text()), **json.loads(own.read_text())}


def quick(lab: Lab) -> Iterator[Grown]:
    """Call what has to be quick, in turns: an empty Python, the help, and where three hosts stand."""
    calls = {
        "python": [sys.executable, "-c", "pass"],
        "help": program("--help"),
        "status": program("status", PLAN),
    }
    for turn in range(1, QUICK_TURNS + 1):
        for name, command in calls.items():
            load = os.getloadavg()[0]
            began = time.monotonic()
            done = lab.run(command, check=False)
            cost = {**UNSEEN, "wall_s": round(time.monotonic() - began, 4)}
            yield _grown(f"{QUICK} {name}", (3, 0, turn), load, done.returncode, cost)


def _grown(
    command: str, size: tuple[int, int, int], load: float, exit_code: int, cost: Mapping[str, float]
) -> Grown:
    members, light, turn = size
    return Grown(
        command=command,
        members=members,
        light=light,
        turn=turn,
        machine=machine(),
        load=round(load, 1),
        exit_code=exit_code,
        wall_s=cost["wall_s"],
        cpu_s=cost["cpu_s"],
        memory_mb=cost["rss_mb"],
        openings=int(cost["openings"]),
        connections=int(cost["connections"]),
        turns=int(cost["turns"]),
    )


def said(row: Grown) -> str:
    """Return what one call came to, for whoever watches."""
    return (
        f"{row.command:14} {row.members} + {row.light:3}  load {row.load:4.1f}  exit {row.exit_code}  "
        f"wall {row.wall_s:7.3f} s  cpu {row.cpu_s:6.2f} s  {row.memory_mb:5.1f} MB  "
        f"{row.openings:2} opening at once, {row.connections} connections, {row.turns} turns\n"
    )


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(given[0] if given else TURNS, given[1:] or LIGHT))
