"""The members' own network is struck in the middle of each round: it heals by itself, and the run goes on."""

import time

import pytest
from live.faults.journeys import LIMIT_S, journey
from live.stories import events, wait_until_healthy, writing

from orchestrator.engine.progress import Progress
from orchestrator.lab.hosts import link_faults
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab

pytestmark = pytest.mark.timeout(LIMIT_S)


def cut_all_peer_connections(lab: Lab) -> None:
    """Break them all at both ends at the same time, nearly."""
    port = lab.cluster.ports.peer
    assert sum(link_faults.kill_connections(host, port) for host in lab.hosts) > 0


def cut_link_for_a_while(host: Host) -> None:
    link_faults.cut_link(host)
    time.sleep(10)
    link_faults.restore_link(host)


def test_all_peer_connections_are_cut_in_the_middle_of_each_round_and_after_it(lab: Lab) -> None:
    def cut_again(state: str) -> None:
        assert {state} == set(Progress.of(events(lab)).states.values())
        with writing(lab):  # nothing fails, as no run is under way
            cut_all_peer_connections(lab)
            wait_until_healthy(lab)

    journey(
        lab,
        "all peer connections are cut at once",
        lambda _: cut_all_peer_connections(lab),
        expected="members dial each other again, the run goes on; a registration in flight may stop it",
        behind=cut_again,
    )


def test_a_link_is_down_for_10_s_in_the_middle_of_each_round(lab: Lab) -> None:
    journey(
        lab,
        "the link of the host that is at work is down for 10 s",
        cut_link_for_a_while,
        expected="the host is waited for, and the run goes on; a registration in flight may stop it",
    )
