"""Disks fill up, or turn read-only, in the middle of a run: it stops, and goes on once there is room."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from live.faults.record import Case, case, succeed
from live.faults.strikes import announced, strike_when
from live.stories import orchestrator, state_file

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine.programs import run
from orchestrator.lab.provisioning.plan_copy import PLAN

STOPPED, DONE = 7, 0
EXITS = ((STOPPED, DONE),)
EXPECTED = "stops with the reason and a healthy cluster; goes on once there is room"
DROP_INS, JOBS = "/etc/systemd/system/etcd2.service.d", "/run/orchestrator"
KEPT = "/root/kept"
FILL = 'cat /dev/zero > "$1/ballast" 2>/dev/null; [ -s "$1/ballast" ]'


def stops(under_way: Case, state: str, *reported: str, flag: str = "--resume") -> None:
    """Have a run stop with these words, and say how to go on."""
    done = under_way.run("run", PLAN, flag, "--until", state)
    words = (*reported, "the cluster is healthy", "run plan.yaml --resume")
    assert [] == [each for each in words if each not in done.stderr], done.stderr
    assert "Traceback" not in done.stderr


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A small file system on the bastion."""
    place.mkdir()
    run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)])
    try:
        yield
    finally:
        run(["umount", "--lazy", str(place)])


def fill(place: Path) -> None:
    """Take all the room that is left."""
    with suppress(OSError), (place / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@contextmanager
def full(host: Host, path: str) -> Iterator[None]:
    """A disk with the same files under that directory of a host, and no room for more."""
    host.run(["cp", "-a", path, KEPT])
    host.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path])
    host.run(["sh", "-c", f'cp -a {KEPT}/. "$1"; rm -r {KEPT}; {FILL}', "fill", path])
    with unmounted(host, path):
        yield


@contextmanager
def read_only(host: Host, path: str) -> Iterator[None]:
    """The same directory, where nobody may write."""
    host.run(["mount", "--bind", path, path])
    host.run(["mount", "-o", "remount,bind,ro", path])
    with unmounted(host, path):
        yield


@contextmanager
def unmounted(host: Host, path: str) -> Iterator[None]:
    try:
        yield
    finally:
        host.run(["umount", path])


@pytest.mark.timeout(900)
def test_disks_fill_up_in_the_middle_of_a_run(lab: Lab) -> None:
    small = lab.directory / "small"
    with small_disk(small):
        (small / "state.jsonl").touch()  # a link to nowhere is refused
        state_file(lab).symlink_to(small / "state.jsonl")
        with case(lab, "the bastion's disk is full", "stage", exits=EXITS, expected=EXPECTED) as under_way:
            with strike_when(lab, announced("stage"), lambda _: fill(small)):
                reported = ("cannot be noted: No space left on device", "free disk space first")
                stops(under_way, "accepting", *reported, flag="--yes")
            assert state_file(lab).read_bytes().endswith(b"}\n")
            (small / "ballast").unlink()
            under_way.run("run", PLAN, "--resume", "--until", "accepting")

        with case(lab, "a host's /run is full", "bridge", exits=EXITS, expected=EXPECTED) as under_way:
            with full(lab.host("server1"), JOBS):
                stops(
                    under_way,
                    "bridged",
                    "bridge/server1: its script ended with 125",
                    "No space left on device",
                )
            under_way.run("run", PLAN, "--resume", "--until", "bridged")

        for fault, broken, words in (
            ("the hosts' disks are full", full, "No space left on device"),
            ("the hosts' disks turn read-only", read_only, "Read-only file system"),
        ):
            with (
                case(lab, fault, "switch", exits=((STOPPED,),), expected=EXPECTED) as under_way,
                ExitStack() as all_,
            ):
                for host in lab.hosts:
                    all_.enter_context(broken(host, DROP_INS))
                stops(under_way, "switched", words, "40-tls.conf", "still stands in 'bridged'")
        succeed(orchestrator(lab, "run", PLAN, "--resume"))
