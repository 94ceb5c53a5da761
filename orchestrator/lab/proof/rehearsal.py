"""A rehearsal: the real program against real hosts while clients write, and what it proves."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator import commandline
from orchestrator.lab.clients import local_clients
from orchestrator.lab.hosts import etcd_programs, journald
from orchestrator.lab.lifecycle.lab import NOTHING, PREFIX, Lab
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.proof import evidence, rests, way_back
from orchestrator.lab.proof.crowd import closed_at
from orchestrator.lab.proof.outcome import Closing, Outcome
from orchestrator.lab.proof.probers import RunningProbers
from orchestrator.lab.proof.rendering import render
from orchestrator.lab.proof.rests import Rest
from orchestrator.lab.provisioning import plan_copy
from orchestrator.output import err, out
from orchestrator.plan.layout import Layout


def run_rehearsal(
    plan: Path,
    *,
    keep: bool,
    etcd: str | None = None,
    arguments: Sequence[str] = (),
    found: Layout | None = None,
    has_crowd: bool = False,
) -> int:
    """Rehearse a plan, print what was proved, and return the exit code. ``arguments`` go to its run.

    With ``found``, the hosts are those that were found, and are rolled back at the end unless they are kept.
    With a crowd, clients of every kind use the cluster meanwhile; one knows http alone and is cut off.
    """
    has_rest = has_crowd and plan_copy.read(plan).strategy == BRIDGE and "--until" not in " ".join(arguments)
    cut_off = (*(("--resume",) if has_rest else ()), "--cut-off") if has_crowd else ()
    outcome = rehearse(
        plan,
        program("run", plan_copy.PLAN, "--yes", *cut_off, *arguments),
        resting=RESTING if has_rest else (),
        closing=program("status", plan_copy.PLAN),
        keep=keep,
        etcd=etcd or etcd_programs.OWN,
        found=found,
        undoing=program("rollback", plan_copy.PLAN, "--yes") if found and not keep else (),
        report=err,
        has_crowd=has_crowd,
    )
    out(f"\n{render(outcome)}", end="")
    if keep:
        look, end = commandline.command("lab", "run", "--"), commandline.command("lab", "down")
        err(f"The lab is still up. Look around: {look} CMD. End it: {end}")
    return outcome.exit_code


BRIDGE = "bridge"  # the strategy with a rest, in which clients are served in both schemes
REST, END = "bridged", "the end"


def program(*arguments: str) -> list[str]:
    """Return the command line of this very program."""
    return [sys.executable, "-m", "orchestrator", *arguments]


RESTING = program("run", plan_copy.PLAN, "--yes", "--until", REST)
LISTING = program("clients", plan_copy.PLAN, "--output", "json")


def rehearse(  # noqa: PLR0913 - two things to rehearse, and named options
    plan: Path,
    command: Sequence[str],
    *,
    resting: Sequence[str] = (),
    closing: Sequence[str] = (),
    keep: bool = False,
    prefix: str = PREFIX,
    extra_settings: Mapping[str, str] = NOTHING,
    proxy_settings: Mapping[str, str] = NOTHING,
    etcd: str = etcd_programs.OWN,
    found: Layout | None = None,
    above: Sequence[Path] = (),
    undoing: Sequence[str] = (),
    log: Path | None = None,
    leisure: float = 1.0,
    has_crowd: bool = False,
    report: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Boot a plan's hosts, run a command on the bastion while clients write, and collect the proof.

    The commands find the lab's copy of the plan as ``plan.yaml`` in their working directory. ``resting``, if
    there is one, runs before and ends in a rest: there, and at the end, the list of clients is compared with
    what the lab's own know. ``closing``
    runs after that, and what it prints stands in the outcome; ``undoing`` runs last, if the command
    succeeded. What the others print goes to the terminal, or to ``log``. ``leisure`` is how much longer than
    usual clients wait between two writes; with ``has_crowd`` there are some of every kind.
    Trees ``above`` lie over the hosts' base system.
    The hosts are gone afterwards, unless ``keep``; the lab's directory stays.
    """
    began = time.monotonic()
    lab = Lab.up(
        plan,
        prefix=prefix,
        extra_settings=extra_settings,
        proxy_settings=proxy_settings,
        etcd=etcd,
        found=found,
        above=above,
        report=report,
    )
    try:
        up_s = time.monotonic() - began
        report(
            f"{len(lab.hosts)} hosts are up after {up_s:.1f} s; plan, keys and logs are in {lab.directory}."
        )
        probers = RunningProbers.start(lab, leisure=leisure, has_crowd=has_crowd)
        outcome = _prove(lab, (resting, command), log, probers, report)
        closed = _closed(lab, closing)
        back = way_back.walk(lab, undoing, log) if undoing and outcome.program_exit == 0 else None
        return replace(outcome, closing=closed, way_back=back, took_s=time.monotonic() - began)
    finally:
        if not keep:
            lab.down()


def _prove(
    lab: Lab,
    commands: tuple[Sequence[str], Sequence[str]],
    log: Path | None,
    probers: RunningProbers,
    report: Callable[[str], None],
) -> Outcome:
    began, (resting, command) = time.monotonic(), commands
    looks: list[Rest] = []
    try:
        starts = {host.name: journald.starts(host) for host in lab.hosts}
        probers.wait_for_writes()
        program_exit, program_took_s = 0, 0.0
        for each, name in ((resting, REST), (command, END)):
            if not each or program_exit != 0:
                continue
            report(f"Clients write to the cluster. Now running: {' '.join(each)}")
            program_began = time.monotonic()
            program_exit = lab.execute(each, log=log)
            program_took_s += time.monotonic() - program_began
            if resting and program_exit == 0:
                report("Comparing the list of clients with what they know themselves.")
                looks.append(rests.look(lab, name, LISTING, probers))
        report("The clients stop, and read everything back from every member.")
        _let_write_on(probers)
        probe, single_ways = probers.stop()
        crowd = probers.stop_crowd()
    finally:
        probers.kill()
    members, proxies = evidence.of_members(lab, starts), evidence.of_proxies(lab, starts)
    return Outcome(
        lab.cluster,
        members,
        probe,
        program_exit,
        program_took_s,
        took_s=time.monotonic() - began,
        proxies=proxies,
        single_ways=single_ways,
        local_clients=_local_clients(lab),
        crowd=crowd,
        rests=tuple(looks),
        http_closed_at=closed_at(
            lab.directory / f"{plan_copy.PLAN}.state.jsonl", [host.name for host in lab.members]
        ),
    )


def _let_write_on(probers: RunningProbers) -> None:
    try:
        probers.wait_for_last_writes(timeout_s=15.0)
    except LabError:
        return  # a cluster that takes no writes any more is a result too, and stands in the report


def _local_clients(lab: Lab) -> tuple[local_clients.LocalClient, ...]:
    return tuple(each for host in lab.members for each in local_clients.states(host, lab.cluster))


def _closed(lab: Lab, command: Sequence[str]) -> Closing | None:
    if not command:
        return None
    done = lab.run(command, check=False)
    return Closing(done.returncode, done.stdout if done.returncode == 0 else done.stdout + done.stderr)
