"""The members' own network is struck in the middle of each round: it heals by itself, and the run goes on."""

import pytest
from live.faults.journeys import LIMIT_S, journey
from live.stories import events, wait_until_healthy, writing

from orchestrator.engine.progress import Progress
from orchestrator.lab.faults.strikes import cut_all_peer_connections, cut_link_for_a_while
from orchestrator.lab.lifecycle.lab import Lab

pytestmark = pytest.mark.timeout(LIMIT_S)


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
