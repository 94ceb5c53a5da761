"""SSH fails in the middle of each round: the step finishes without us, and its result is read later."""

import time

import pytest
from live.faults.journeys import LIMIT_S, journey

from orchestrator.lab.hosts import link_faults
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab

pytestmark = pytest.mark.timeout(LIMIT_S)

SESSIONS = 'pgrep -P "$(systemctl show --property=MainPID --value ssh)"'


def kill_sessions(host: Host, first: str = ":") -> None:
    """Kill the processes that sshd has for its connections, behind another command."""
    host.run(["sh", "-c", f"sessions=$({SESSIONS}); {first}; kill -KILL $sessions"])


def stop_sshd_for_a_while(host: Host) -> None:
    kill_sessions(host, "systemctl stop ssh")
    time.sleep(5)
    host.run(["systemctl", "start", "ssh"])


def unplug_bastion_for_a_while(lab: Lab) -> None:
    for host in lab.hosts:
        link_faults.hide_from_bastion(host)
    time.sleep(20)
    for host in lab.hosts:
        link_faults.show_to_bastion(host)


def test_the_connection_is_killed_in_the_middle_of_each_round(lab: Lab) -> None:
    journey(
        lab,
        "the SSH connection to the host that is at work is killed",
        kill_sessions,
        expected="the step goes on without us; another connection reads its result, and the run goes on",
    )


def test_sshd_is_stopped_for_5_s_in_the_middle_of_each_round(lab: Lab) -> None:
    journey(
        lab,
        "sshd is stopped for 5 s on the host that is at work, and its connections with it",
        stop_sshd_for_a_while,
        expected="the host is waited for, and the run goes on",
    )


def test_the_bastion_is_unplugged_for_20_s_in_the_middle_of_each_round(lab: Lab) -> None:
    journey(
        lab,
        "the bastion's link is down for 20 s",
        lambda _: unplug_bastion_for_a_while(lab),
        expected="every host is waited for, and the run goes on",
    )
