"""The hosts' locks: a rival is refused, a killed run taken over, and a frozen one can do nothing any more."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from live.faults.strikes import announced, job_done
from live.stories import events, failure, orchestrator, run_and_kill, state_file, unhealthy, writing
from support.waiting import until

from orchestrator.engine.events import Opened, RunEnded, StepFailed
from orchestrator.host import lock
from orchestrator.lab.hosts import link_faults
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

pytestmark = pytest.mark.timeout(1200)

OTHER = "other.yaml"  # the same plan on another bastion: a state file of its own


def holders(lab: Lab) -> list[lock.Holder | None]:
    """Who holds each host's lock."""
    return [lock.read(host.run(["cat", lock.HOLDER], check=False).stdout) for host in lab.hosts]


def holder(lab: Lab) -> lock.Holder:
    """Who holds all of them."""
    found = set(holders(lab))
    assert len(found) == 1, found
    one = found.pop()
    assert one is not None
    return one


def assert_free(lab: Lab) -> None:
    assert {None} == set(holders(lab))
    for host in lab.hosts:
        assert host.run(["test", "-e", lock.DIRECTORY], check=False).returncode == 1


@pytest.fixture
def rival(lab: Lab) -> Path:
    """The plan of somebody else, who knows nothing of our state file."""
    plan = lab.directory / OTHER
    plan.write_text((lab.directory / PLAN).read_text())
    return plan


def start(lab: Lab, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the program on the bastion; the process is its own, so that signals reach it."""
    with (lab.directory / "stderr").open("wb") as reported:
        return subprocess.Popen(
            lab.command([sys.executable, "-m", "orchestrator", *arguments]),
            cwd=lab.directory,
            env=lab.environment(),
            stdout=subprocess.DEVNULL,
            stderr=reported,
        )


@contextmanager
def stopped_in_the_middle(lab: Lab, round_: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run that is frozen (SIGSTOP) in the middle of a round, of which the hosts know."""
    process, is_now = start(lab, "run", PLAN, "--yes"), job_done(lab, round_)
    try:

        def is_there() -> bool:
            assert process.poll() is None, (lab.directory / "stderr").read_text()
            return is_now(events(lab))

        until(is_there, within_s=120.0, pause_s=0.005)
        os.kill(process.pid, signal.SIGSTOP)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.mark.usefixtures("rival")
def test_a_killed_run_keeps_its_locks_until_it_is_resumed(lab: Lab) -> None:
    with writing(lab):
        run_and_kill(lab, announced("stage"), "run", PLAN, "--yes")
        first, header = holder(lab), events(lab)[0]
        assert isinstance(header, Opened)
        assert (header.run, "run", str(state_file(lab))) == (first.run, first.doing, first.state)

        refused = orchestrator(lab, "run", OTHER, "--yes")
        assert refused.returncode == 6, failure(refused)
        assert f"server1 is locked by {first}; nothing was changed" in refused.stderr
        assert f"unlock {OTHER} {first.run}" in refused.stderr
        assert first == holder(lab)
        assert not (lab.directory / f"{OTHER}.state.jsonl").exists()

        status = orchestrator(lab, "status", OTHER)
        assert f"locked by {first}: server1, server2, server3" in status.stdout
        checked = orchestrator(lab, "check", OTHER)
        assert checked.returncode == 5
        assert "lock (server1)" in checked.stderr

        run_and_kill(lab, announced("accept"), "run", PLAN, "--resume")
        second = holder(lab)
        assert first.run == second.run
        assert int(first.number) < int(second.number)

        done = orchestrator(lab, "rollback", PLAN, "--yes")
        assert done.returncode == 0, failure(done)
    assert_free(lab)


@pytest.mark.usefixtures("rival")
def test_locks_are_shown_and_taken_away_by_their_run_s_id_alone(lab: Lab) -> None:
    free = orchestrator(lab, "unlock", PLAN)
    assert free.stdout.split() == ["server1", "free", "server2", "free", "server3", "free"]

    run_and_kill(lab, announced("stage"), "run", PLAN, "--yes")
    held = holder(lab)
    shown = orchestrator(lab, "unlock", OTHER)
    assert f"server3  locked by {held}" in shown.stdout
    assert f"unlock {OTHER} {held.run}" in shown.stdout

    for arguments, code in (((OTHER, "00000000", "--yes"), 5), ((OTHER, held.run), 64)):
        refused = orchestrator(lab, "unlock", *arguments)
        assert refused.returncode == code, failure(refused)
        assert held == holder(lab)

    link_faults.cut_link(lab.host("server2"))
    done = orchestrator(lab, "unlock", OTHER, held.run, "--yes")
    assert done.returncode == 4, failure(done)
    assert "unlocked server1, server3" in done.stderr
    assert "server2" in done.stderr
    assert [None, held, None] == holders(lab)
    link_faults.restore_link(lab.host("server2"))

    done = orchestrator(lab, "unlock", OTHER, held.run, "--yes")
    assert done.returncode == 0, failure(done)
    assert_free(lab)
    resumed = orchestrator(lab, "run", PLAN, "--resume", "--until", "staged")
    assert resumed.returncode == 0, failure(resumed)


def test_the_locks_are_gone_after_every_orderly_end(lab: Lab) -> None:
    plan = lab.directory / PLAN
    plan.write_text(plan.read_text().replace("gate: 90s", "gate: 20s"))
    paused = orchestrator(lab, "run", PLAN, "--yes", "--until", "staged")
    assert paused.returncode == 0, failure(paused)
    assert_free(lab)

    manual_changes = lab.host("server2")
    manual_changes.run(["sh", "-c", "mv /etc/etcd2 /etc/etcd2.away"])
    stopped = orchestrator(lab, "run", PLAN, "--resume")
    assert stopped.returncode in {7, 9}, failure(stopped)
    assert_free(lab)
    manual_changes.run(["sh", "-c", "mv /etc/etcd2.away /etc/etcd2"])

    process, is_now = start(lab, "run", PLAN, "--resume"), announced("accept", 1)
    while not is_now(events(lab)):
        assert process.poll() is None, (lab.directory / "stderr").read_text()
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert_free(lab)

    done = orchestrator(lab, "run", PLAN, "--resume")
    assert done.returncode == 0, failure(done)
    assert_free(lab)


@pytest.mark.usefixtures("rival")
def test_a_frozen_run_whose_locks_were_taken_away_does_nothing_any_more(lab: Lab) -> None:
    with stopped_in_the_middle(lab, "stage") as old:
        held = holder(lab)
        for arguments, code in (
            (("run", OTHER, "--yes"), 6),
            (("unlock", OTHER, held.run, "--yes"), 0),
            (("run", OTHER, "--yes"), 5),  # not over a run that is under way
            (("recover", OTHER), 0),
            (("run", OTHER, "--resume", "--until", "staged"), 0),
        ):
            done = orchestrator(lab, *arguments)
            assert done.returncode == code, failure(done)
        before = {host.name: jobs(host) for host in lab.hosts}

        os.kill(old.pid, signal.SIGCONT)
        assert old.wait(180) == 6, (lab.directory / "stderr").read_text()
    reported = (lab.directory / "stderr").read_text()
    assert re.search(r"our lock was taken away, nobody holds it now; \S+ did nothing there", reported)
    *_, failed, ended = events(lab)
    assert isinstance(failed, StepFailed)
    assert isinstance(ended, RunEnded)
    assert ended.outcome == "stopped"
    asked = {
        f"{host.name} {job}": jobs(host)[job]
        for host in lab.hosts
        for job in jobs(host).keys() - before[host.name].keys()
    }
    assert {"1006"} == {status for job, status in asked.items() if "release-" not in job}, asked
    assert not unhealthy(lab)
    assert_free(lab)


def jobs(host: Host) -> dict[str, str]:
    """Jobs that a host was asked for since it was booted, with the status that each ended with."""
    lines = host.run(["sh", "-c", "cd /run/orchestrator && grep -H . */exit"]).stdout.splitlines()
    parts = (line.partition(":") for line in lines)
    return {name.removesuffix("/exit"): status.strip() for name, _, status in parts}
