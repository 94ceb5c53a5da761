"""A member is unwell for good: nothing is done to anybody else until a person has seen to it."""

import pytest
from live.faults.journeys import LIMIT_S
from live.faults.record import PERSON_NEEDED, case
from live.faults.strikes import announced, held_still, strike_when
from live.stories import ROUNDS, STATES, failure, restarts, wait_until_healthy

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

pytestmark = pytest.mark.timeout(LIMIT_S)


def test_a_member_goes_away_for_good_in_each_round(hasty_lab: Lab) -> None:
    lab = hasty_lab
    for number, (round_, state) in enumerate(zip(ROUNDS, STATES, strict=True)):
        struck: list[tuple[Host, Host]] = []

        def stop_another(working: Host, struck: list[tuple[Host, Host]] = struck) -> None:
            other = next(host for host in lab.hosts if host != working)
            with held_still(lab):
                other.run(["systemctl", "stop", other.unit])
            struck.append((working, other))

        with case(
            lab,
            "a member that is not at work goes away for good (systemctl stop)",
            round_,
            exits=((PERSON_NEEDED, 0),),
            expected="nobody else is touched, and it is named; once it is back the run is resumed",
        ) as now:
            before = restarts(lab)
            goes_on = "--resume" if number else "--yes"
            with strike_when(lab, announced(round_, 1), stop_another):
                stopped = now.run("run", PLAN, "--until", state, goes_on)
            working, other = struck[0]
            assert f"{other.name} is not healthy" in stopped.stderr, failure(stopped)
            touched = {name for name, count in restarts(lab).items() if count != before[name]}
            assert touched <= {working.name}, failure(stopped)
            other.run(["systemctl", "start", other.unit])
            wait_until_healthy(lab)
            now.run("run", PLAN, "--until", state, "--resume")
