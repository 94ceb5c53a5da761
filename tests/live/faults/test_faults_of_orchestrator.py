"""The orchestrator is killed in each round, at each moment of a step, on the way there and back."""

from collections.abc import Callable, Mapping

import pytest
from live.faults.journeys import LIMIT_S
from live.faults.record import KILLED, case
from live.faults.strikes import Moment, announced, job_done, job_under_way
from live.stories import ROUNDS, STATES, restarts
from live.untouched import Before

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

pytestmark = pytest.mark.timeout(LIMIT_S)


MOMENTS: Mapping[str, Callable[[Lab, str, int], Moment]] = {
    "before": lambda _, round_, number: announced(round_, number),
    "during": job_under_way,
    "behind": job_done,
}
# In each round the first, the second and the third step are struck at these moments of their jobs: in the
# three rows together every step is, before, during and behind its job.
TURNS = (("before", "during", "behind"), ("during", "behind", "before"), ("behind", "before", "during"))


@pytest.mark.parametrize("turn", TURNS, ids="-".join)
def test_killed_before_during_and_behind_each_job_of_each_round_it_resumes(
    lab: Lab, turn: tuple[str, str, str]
) -> None:
    first, second, third = turn
    fault = (
        f"the orchestrator is killed (SIGKILL) {first} its first job, {second} its second, {third} its third"
    )
    for round_, state in zip(ROUNDS, STATES, strict=True):
        with case(
            lab,
            fault,
            round_,
            exits=((KILLED, KILLED, KILLED, 0),),
            expected="each resume looks, does again what was not done, and repeats nothing that was",
        ) as now:
            for number, when in enumerate(turn, start=1):
                goes_on = "--yes" if (round_, number) == (ROUNDS[0], 1) else "--resume"
                now.run_and_kill(MOMENTS[when](lab, round_, number), "run", PLAN, "--until", state, goes_on)
            now.run("run", PLAN, "--until", state, "--resume")
    assert {2} == set(restarts(lab).values())


def test_killed_during_a_job_of_each_round_it_goes_back(lab: Lab) -> None:
    before = Before.of(lab)
    for round_ in ROUNDS:
        with case(
            lab,
            "the orchestrator is killed (SIGKILL) during a job, and a rollback follows",
            round_,
            exits=((KILLED, 0),),
            expected="the rollback leaves every member in plaintext, and every host as it was",
        ) as now:
            now.run_and_kill(job_under_way(lab, round_), "run", PLAN, "--yes")
            now.run("rollback", PLAN, "--yes")
        before.assert_again(lab)


def test_killed_in_the_last_round_and_in_each_round_back_it_goes_back(lab: Lab) -> None:
    back = [f"undo-{round_}" for round_ in reversed(ROUNDS)]
    with case(
        lab,
        "the orchestrator is killed (SIGKILL) during a job, and so is the rollback, in each of its rounds",
        ROUNDS[-1],
        exits=((KILLED, *(KILLED for _ in back), 0),),
        expected="the rollback goes on each time, to plaintext",
    ) as now:
        now.run_and_kill(job_under_way(lab, ROUNDS[-1]), "run", PLAN, "--yes")
        for round_ in back:
            now.run_and_kill(job_under_way(lab, round_), "rollback", PLAN, "--yes")
        now.run("rollback", PLAN, "--yes")
