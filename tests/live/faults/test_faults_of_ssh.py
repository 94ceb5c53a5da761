"""SSH fails in the middle of each round: the step finishes without us, and its result is read later."""

import pytest
from live.faults.journeys import LIMIT_S, journey

from orchestrator.lab.faults.strikes import (
    kill_sessions,
    stop_sshd_for_a_while,
    unplug_bastion_for_a_while,
)
from orchestrator.lab.lifecycle.lab import Lab

pytestmark = pytest.mark.timeout(LIMIT_S)


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
