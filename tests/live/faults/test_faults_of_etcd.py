"""etcd itself is struck in the middle of each round: the run goes on by itself, or resumes."""

import json

import pytest
from live.faults.journeys import LIMIT_S, journey
from live.faults.strikes import announced

from orchestrator.lab.faults.strikes import freeze_etcd, signal_etcd
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab

pytestmark = pytest.mark.timeout(LIMIT_S)


def status(lab: Lab, host: Host) -> tuple[str, int, int]:
    """An endpoint on the host that answers without a certificate; its member's ID, and the leader's."""
    for port in (lab.cluster.ports.local, lab.cluster.ports.client):
        endpoint = f"--endpoints=http://127.0.0.1:{port}"
        asked = ["etcdctl", endpoint, "--dial-timeout=500ms", "endpoint", "status", "-w", "json"]
        answer = host.run(asked, check=False)
        if answer.returncode == 0:
            found = json.loads(answer.stdout)[0]["Status"]
            return endpoint, found["header"]["member_id"], found["leader"]
    raise AssertionError(f"{host.name} does not say who leads")


def move_leadership(lab: Lab, working: Host) -> None:
    """Move it to one that is not at work, from whoever has it; it may move by itself meanwhile."""
    for _ in range(10):
        others = {status(lab, host)[1]: host for host in lab.hosts if host != working}
        leader = others.pop(status(lab, next(iter(others.values())))[2], working)
        successor = next(iter(others))
        moved = leader.run(["etcdctl", status(lab, leader)[0], "move-leader", f"{successor:x}"], check=False)
        if moved.returncode == 0:
            return
    raise AssertionError(f"leadership never moved away from {working.name}")


def test_etcd_is_killed_in_the_middle_of_each_round(lab: Lab) -> None:
    journey(
        lab,
        "a member's etcd is killed (SIGKILL)",
        lambda _: signal_etcd(lab.host("server1"), "SIGKILL"),
        moment=lambda _, round_: announced(round_),
        expected="systemd starts it again, the run goes on; a registration in flight may stop it",
    )


def test_etcd_is_frozen_in_the_middle_of_each_round(lab: Lab) -> None:
    journey(
        lab,
        "etcd is frozen (SIGSTOP) for 5 s on the host that is at work",
        freeze_etcd,
        expected="the run waits and goes on; a registration in flight may stop it",
    )


def test_leadership_moves_in_the_middle_of_each_round(lab: Lab) -> None:
    journey(
        lab,
        "leadership moves to a member that is not at work (move-leader)",
        lambda working: move_leadership(lab, working),
        moment=lambda _, round_: announced(round_, 1),
        expected="the run asks again who leads before each step; a registration in flight may stop it",
    )
