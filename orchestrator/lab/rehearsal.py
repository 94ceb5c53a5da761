"""A rehearsal: the real program against real hosts while a client writes, and what it proves."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from orchestrator.lab import plancopy, proof
from orchestrator.lab.command import LabError
from orchestrator.lab.lab import PREFIX, Lab
from orchestrator.lab.outcome import Outcome, render
from orchestrator.lab.probing import RunningProber

NOTHING: Mapping[str, str] = {}


def run_rehearsal(plan: Path, *, keep: bool, arguments: Sequence[str] = ()) -> int:
    """Rehearse a plan, print what was proved, and return the exit code. ``arguments`` go to its run."""
    outcome = rehearse(plan, program("run", plancopy.PLAN, "--yes", *arguments), keep=keep, tell=_tell)
    sys.stdout.write(f"\n{render(outcome)}")
    if keep:
        _tell("The lab is still up. Look around: orchestrator lab run -- CMD. End it: orchestrator lab down.")
    return outcome.exit_code


def program(*arguments: str) -> list[str]:
    """Return the command line of this very program."""
    return [sys.executable, "-m", "orchestrator", *arguments]


def rehearse(
    plan: Path,
    command: Sequence[str],
    *,
    keep: bool = False,
    prefix: str = PREFIX,
    extra_settings: Mapping[str, str] = NOTHING,
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Boot a plan's hosts, run a command on the bastion while a client writes, and collect the proof.

    The command finds the lab's copy of the plan as ``plan.yaml`` in its working directory. The hosts are
    gone afterwards, unless ``keep``; the lab's directory stays.
    """
    began = time.monotonic()
    lab = Lab.up(plan, prefix=prefix, extra_settings=extra_settings, tell=tell)
    try:
        up_s = time.monotonic() - began
        tell(f"{len(lab.hosts)} hosts are up after {up_s:.1f} s; plan, keys and logs are in {lab.directory}.")
        return _prove(lab, command, began, tell)
    finally:
        if not keep:
            lab.down()


def _prove(lab: Lab, command: Sequence[str], began: float, tell: Callable[[str], None]) -> Outcome:
    starts = {host.member.name: proof.starts(host) for host in lab.hosts}
    prober = RunningProber.start(lab)
    try:
        prober.wait_for_writes()
        tell(f"A client writes to the cluster. Now running: {' '.join(command)}")
        program_began = time.monotonic()
        program_exit = lab.execute(command)
        program_took_s = time.monotonic() - program_began
        tell("The client stops, and reads everything back from every member.")
        _let_write_on(prober)
        report = prober.stop()
    finally:
        prober.kill()
    members = proof.collect(lab, starts)
    took_s = time.monotonic() - began
    return Outcome(lab.cluster, members, report, program_exit, program_took_s, took_s)


def _let_write_on(prober: RunningProber) -> None:
    try:
        prober.wait_for_writes(timeout_s=15.0)
    except LabError:
        return  # a cluster that takes no writes any more is a result too, and stands in the report


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
