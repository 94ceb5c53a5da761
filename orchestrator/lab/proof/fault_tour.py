"""A rehearsal with faults: every round of a plan with a fault in its middle, and what became of each."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from orchestrator.lab.faults.strikes import FAULTS, Fault
from orchestrator.lab.faults.striking import Steps, events, striking
from orchestrator.lab.hosts import etcd_programs
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.proof import posts
from orchestrator.lab.proof.fault_cases import KILLED, Case, Turn, reported, tried, why
from orchestrator.lab.proof.probers import RunningProber
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.output import err
from orchestrator.plan.layout import Layout

RESUMED = frozenset({7, 9, KILLED})  # exit codes behind which a run goes on
MOST_RUNS = 4  # of one case
LIMIT_S = 600.0  # of one run
LEISURE = 2.5  # a write every 25 ms leaves the machine to the hosts
LONGEST_DELAY_S = 0.3  # from a step's announcement to the strike


def chosen(
    turns: Sequence[Turn], names: Sequence[str], seed: int
) -> Iterator[tuple[tuple[Turn, Fault], ...]]:
    """Yield what one migration after the other is struck with: each named fault comes in each round once.

    Without names it is one migration, with a fault in each round that the seed chooses.
    """
    if not names:
        rng = random.Random(f"faults {seed}")  # noqa: S311 -- to be repeated, not to be secret
        yield tuple((turn, FAULTS[rng.choice(sorted(FAULTS))]) for turn in turns)
    for shift in range(len(names)):
        yield tuple((turn, FAULTS[names[(index + shift) % len(names)]]) for index, turn in enumerate(turns))


def tour(
    lab: Lab, turns: Sequence[Turn], names: Sequence[str], seed: int, arguments: Sequence[str] = ()
) -> Iterator[Case]:
    """Yield each case as it is over; behind one that did not come to its end there is none."""
    rng = random.Random(f"moments {seed}")  # noqa: S311 -- to be repeated, not to be secret
    for number, migration in enumerate(chosen(turns, names, seed)):
        if number and _call(lab, "rollback", PLAN, "--yes") != 0:
            raise LabError(f"the rollback between two migrations failed; its words are in {_log(lab)}")
        for turn, fault in migration:
            case = tried(turn, fault, partial(_case, lab, turn, fault, rng, arguments))
            yield case
            if not case.is_ended:
                return


def _case(lab: Lab, turn: Turn, fault: Fault, rng: random.Random, arguments: Sequence[str]) -> Case:
    number, delay_s = rng.randint(1, turn.hosts), rng.uniform(0.0, LONGEST_DELAY_S)
    state_file = lab.directory / f"{PLAN}.state.jsonl"
    steps = Steps(state_file, turn.round)
    prober = RunningProber.start(lab, posts.of_members(lab, leisure=LEISURE))
    try:
        prober.wait_for_writes()
        words = ["run", PLAN, "--until", turn.state, "--cut-off", *arguments]
        run = _start(lab, *words, "--resume" if _is_begun(state_file) else "--yes")

        def strike() -> None:
            time.sleep(delay_s)
            host = lab.host(steps.begun()[number - 1].partition("/")[2])
            fault.strike(lab, host) if fault.strike else run.kill()

        try:
            with striking(lambda: len(steps.begun()) >= number, strike) as seen:
                exits = [_ended(run)]
        finally:
            run.kill()
        while exits[-1] in RESUMED and len(exits) < MOST_RUNS:
            exits.append(_call(lab, *words, "--resume"))
        if exits[-1] == 0:
            prober.wait_for_writes()
        report = prober.stop()
    finally:
        prober.kill()
    step = steps.begun()[number - 1] if seen.began else f"{turn.round}/-"
    reason = f"it could not strike: {why(seen.error)}" if seen.error else ""
    return Case(turn, fault, step, seen.began, tuple(exits), report, reason)


def _is_begun(state_file: Path) -> bool:
    """Whether a run is under way; one that was rolled back is over, and the next one begins anew."""
    ways = [event for event in events(state_file) if event.get("event") == "run_began"]
    return bool(ways) and ways[-1].get("direction") != "back"


def _log(lab: Lab) -> Path:
    return lab.directory / "logs" / "faults.log"


def _start(lab: Lab, *arguments: str) -> "subprocess.Popen[bytes]":
    command = lab.command([sys.executable, "-m", "orchestrator", *arguments])
    with _log(lab).open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=lab.directory,
            env=lab.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _call(lab: Lab, *arguments: str) -> int:
    run = _start(lab, *arguments)
    try:
        return _ended(run)
    finally:
        run.kill()


def _ended(run: "subprocess.Popen[bytes]") -> int:
    try:
        code = run.wait(LIMIT_S)
    except subprocess.TimeoutExpired as late:
        raise LabError(f"a run did not end within {LIMIT_S:g} s, and was killed") from late
    return 128 - code if code < 0 else code


def run_tour(  # noqa: PLR0913 -- two things to rehearse, and named options
    plan: Path,
    turns: Sequence[Turn],
    names: Sequence[str],
    *,
    seed: int,
    keep: bool,
    etcd: str | None = None,
    found: Layout | None = None,
    arguments: Sequence[str] = (),
) -> int:
    """Boot a plan's hosts, take them through faults, print what became of each, and return the exit code."""
    lab = Lab.up(plan, etcd=etcd or etcd_programs.OWN, found=found, report=err)
    try:
        expected = len(turns) * max(1, len(names))
        return reported(tour(lab, turns, names, seed, arguments), expected, _log(lab))
    finally:
        if not keep:
            lab.down()
