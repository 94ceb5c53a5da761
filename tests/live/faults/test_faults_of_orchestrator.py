"""The orchestrator is killed in each round, at each moment of a step, on the way there and back."""

import pytest
from live.faults.cases import KILLED, case
from live.faults.journeys import LIMIT_S
from live.faults.strikes import announced, deed_done, deed_under_way
from live.stories import ROUNDS, STATES, restarts

from orchestrator.lab.lab import Lab
from orchestrator.lab.plancopy import PLAN

pytestmark = pytest.mark.timeout(LIMIT_S)


def test_killed_before_during_and_behind_a_deed_of_each_round_it_resumes(lab: Lab) -> None:
    for round_, state in zip(ROUNDS, STATES, strict=True):
        with case(
            lab,
            "the orchestrator is killed (SIGKILL) before a first deed, during a second and behind a third",
            round_,
            exits=((KILLED, KILLED, KILLED, 0),),
            expected="each resume looks, does again what was not done, and repeats nothing that was",
        ) as now:
            resume = "--yes" if round_ == ROUNDS[0] else "--resume"
            now.run_and_kill(announced(round_, 1), "run", PLAN, "--until", state, resume)
            now.run_and_kill(deed_under_way(lab, round_, 2), "run", PLAN, "--until", state, "--resume")
            now.run_and_kill(deed_done(lab, round_, 3), "run", PLAN, "--until", state, "--resume")
            now.run("run", PLAN, "--until", state, "--resume")
    assert {2} == set(restarts(lab).values())


def test_killed_in_the_last_round_and_in_each_round_back_it_goes_back(lab: Lab) -> None:
    back = [f"undo-{round_}" for round_ in reversed(ROUNDS)]
    with case(
        lab,
        "the orchestrator is killed (SIGKILL) during a deed, and so is the rollback, in each of its rounds",
        ROUNDS[-1],
        exits=((KILLED, *(KILLED for _ in back), 0),),
        expected="the rollback goes on each time, to plaintext",
    ) as now:
        now.run_and_kill(deed_under_way(lab, ROUNDS[-1]), "run", PLAN, "--yes")
        for round_ in back:
            now.run_and_kill(deed_under_way(lab, round_), "rollback", PLAN, "--yes")
        now.run("rollback", PLAN, "--yes")
