"""Race this tool against what people use instead, in turns on fresh hosts; keep what was seen.

Every run has three new members, a client that writes every 10 ms, and the same audit afterwards.
Usage: bench_race.py [TURNS] [CONTESTANT…], five turns of all unless told; as root. One more turn has clients
of every kind. Then: make docs.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from bench import waterfall
from bench.raced import FLOOR, OURS, RESULTS, RIVALS, Raced
from live.packages import layer

from orchestrator.engine.events import RECORDED, Recorded
from orchestrator.lab.hosts import base_system, journald
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle import lab as labs
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.proof.outcome import Outcome, shortcomings
from orchestrator.lab.proof.rehearsal import program, rehearse
from orchestrator.lab.provisioning.plan_copy import PLAN

HERE = Path(__file__).parent
THREE_MEMBERS = HERE.parents[1] / "plans" / "three-members.yaml"
RIVALS_HERE, VENV = HERE / "rivals", HERE.parents[1] / ".venv-bench"
PREFIX = "ora"
EVERY_KIND = "clients"  # the turn with clients of every kind
STOPPING = "de5b426a63be47a7b6ac3eaac82e2f6f"  # systemd's message ID. Source: systemd's sd-messages.h


def main(turns: int, wanted: Sequence[str]) -> int:
    """Race; fail if what we leave behind does not stand the audit; of the others that is told."""
    install_rivals()
    everyone = [name for name in (*OURS, *RIVALS, FLOOR) if not wanted or name in wanted]
    is_good = True
    for turn in (*map(str, range(1, turns + 1)), EVERY_KIND):
        shift = int(turn) % len(everyone) if turn.isdigit() else 0  # nobody always goes first
        for name in (*everyone[shift:], *everyone[:shift]):
            if turn == EVERY_KIND and name == FLOOR:
                continue
            raced = run(name, turn)
            RESULTS.add(raced)
            RESULTS.write()
            is_good = is_good and not (raced.proof and name in OURS)
            sys.stdout.write(said(raced))
            sys.stdout.flush()
    return 0 if is_good else 1


def install_rivals() -> None:
    """Put the rivals into an environment of their own, unless they are there."""
    wanted = RIVALS_HERE / "requirements.txt"
    ready = VENV / "ready"
    if ready.exists() and ready.read_text() == wanted.read_text():
        return
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    subprocess.run([str(VENV / "bin/pip"), "install", "-qqq", "-r", str(wanted)], check=True)
    ready.write_text(wanted.read_text())


def command(name: str, *, cuts_off: bool) -> list[str]:
    """Return the command line of a contestant, which is called in the lab's directory."""
    pyinfra = [str(VENV / "bin/pyinfra"), "-y", str(RIVALS_HERE / "pyinfra/inventory.py")]
    deploys = (("prepare.py",), ("load.py", "--serial"), ("switch.py", "--serial"))
    lines = [" ".join([*pyinfra, str(RIVALS_HERE / "pyinfra" / one[0]), *one[1:]]) for one in deploys]
    playbook = RIVALS_HERE / "ansible"
    ansible = f"{VENV}/bin/ansible-playbook -i {playbook}/inventory.ini --extra-vars pki=$PWD/pki"
    accepted = ("--accept-risk",) if name == "guide" else ()
    return {
        **{
            ours: program("run", PLAN, "--yes", *accepted, *(("--cut-off",) if cuts_off else ()))
            for ours in OURS
        },
        "ansible": [
            *("env", f"ANSIBLE_CONFIG={playbook / 'ansible.cfg'}"),
            *("sh", "-ec", f"{ansible} {playbook}/migrate.yml"),
        ],
        "pyinfra": ["env", f"PYTHONPATH={RIVALS_HERE / 'pyinfra'}", "sh", "-ec", "\n".join(lines)],
        "shell": ["sh", str(RIVALS_HERE / "shell/migrate.sh")],
        FLOOR: [sys.executable, "-m", "bench.floor", PREFIX],
    }[name]


def run(name: str, turn: str) -> Raced:
    """Let one contestant migrate fresh hosts, and return what it came to."""
    is_crowded = turn == EVERY_KIND
    above = (layer(base_system.ensure(), "python3"),)  # some contestants need it on the hosts
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        report, log, plan = (Path(folder) / each for each in ("report.json", "log", "plan.yaml"))
        strategy = name if name in OURS else "bridge"
        plan.write_text(THREE_MEMBERS.read_text().replace("strategy: bridge\n", f"strategy: {strategy}\n"))
        measured = [sys.executable, "-m", "bench.measured", str(report)]
        try:
            outcome = rehearse(
                plan,
                [*measured, *command(name, cuts_off=is_crowded)],
                prefix=PREFIX,
                keep=True,
                log=log,
                above=above,
                has_crowd=is_crowded,
            )
            lab = Lab.find(PREFIX)
            cost = json.loads(report.read_text())
            away = tuple(chain.from_iterable(times_away(host, cost["began_at"]) for host in lab.members))
            parts = waterfall_of(lab, cost) if name in OURS and outcome.program_exit == 0 else ()
        finally:
            labs.down(PREFIX)
        if outcome.program_exit != 0:
            sys.stderr.write(log.read_text(errors="replace")[-3000:])
    return _raced(name, turn, outcome, {**cost, "load": load}, away, parts)


def _raced(
    name: str,
    turn: str,
    outcome: Outcome,
    cost: Mapping[str, float],
    away: tuple[float, ...],
    parts: tuple[waterfall.Part, ...],
) -> Raced:
    probe = outcome.probe
    if name not in OURS:  # nobody has noted when http was closed on purpose
        outcome = replace(outcome, http_closed_at=0.0)
    proof = shortcomings(outcome) if name != FLOOR else (*(f"{probe.lost} lost" for _ in range(probe.lost)),)
    return Raced(
        contestant=name,
        turn=turn,
        machine=machine(),
        load=round(cost["load"], 1),
        proof=proof,
        wall_s=cost["wall_s"],
        cpu_s=cost["cpu_s"],
        memory_mb=cost["memory_mb"],
        connections=int(cost["connections"]),
        turns=int(cost["turns"]),
        sent_bytes=int(cost["sent_bytes"]),
        received_bytes=int(cost["received_bytes"]),
        restarts=sum(member.restarts for member in outcome.members),
        away_s=away,
        stall_s=round(probe.longest_stall_s, 3),
        writes=probe.attempts,
        failed=probe.failed,
        lost=probe.lost,
        failed_reads=probe.failed_reads,
        failed_renewals=probe.failed_lease_renewals,
        missed=probe.missed,
        clients=tuple(
            (each.kind, each.attempts, each.failed, round(each.longest_stall_s, 3)) for each in outcome.crowd
        ),
        waterfall=parts,
    )


def times_away(host: Host, since: float) -> list[float]:
    """Return how long a member was away, restart by restart: from its stopping until it was ready again."""
    match = ("_PID=1", f"MESSAGE_ID={STOPPING}", f"UNIT={journald.etcd(host)}")
    stops = [line.at for line in journald.read(host, *match) if line.at >= since]
    starts = journald.started(host)
    return [round(min(at for at in starts if at > stop) - stop, 3) for stop in stops]


def events_of(lab: Lab) -> list[Recorded]:
    """Return the events of a lab's state file."""
    events = []
    for line in (lab.directory / f"{PLAN}.state.jsonl").read_text().splitlines():
        fields = json.loads(line)
        fields.pop("chain")
        events.append(RECORDED.validate_python(fields))
    return events


def waterfall_of(lab: Lab, cost: Mapping[str, float]) -> tuple[waterfall.Part, ...]:
    return waterfall.of_run(events_of(lab), cost["began_at"], cost["wall_s"])


def machine() -> str:
    """Say in general terms what this machine is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    release = ".".join(os.uname().release.split(".")[:2])
    return f"{os.cpu_count()} cores, {memory:.0f} GB, Linux {release}"


def said(raced: Raced) -> str:
    """Return what a run came to, for whoever watches; with its waterfall, where it has one."""
    lines = [
        (
            f"{raced.contestant:8} {raced.turn:>7}  load {raced.load:4.1f}  wall {raced.wall_s:6.1f} s  "
            f"restarts {raced.restarts}, away {sum(raced.away_s):5.2f} s  stall {raced.stall_s:.3f} s  "
            f"failed {raced.failed} of {raced.writes}, lost {raced.lost}  cpu {raced.cpu_s:5.1f} s  "
            f"{raced.memory_mb:5.0f} MB  ssh {raced.connections} connections, {raced.turns} turns"
        ),
        *(f"    not proved: {sentence}" for sentence in raced.proof),
        *(f"    {seconds:7.3f} s  {part}" for part, seconds in raced.waterfall),
    ]
    return "\n".join((*lines, ""))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2:]))
