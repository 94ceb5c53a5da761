"""etcd itself is struck in the middle of each round: the run goes on by itself, or resumes."""

import pytest
from live.faults.cases import FINISHES, STOPS_AND_RESUMES, case
from live.faults.strikes import strike_during
from live.stories import ROUNDS, STATES

from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab
from orchestrator.lab.plancopy import PLAN


def kill_etcd(host: Host) -> None:
    host.run(["systemctl", "kill", "--kill-who=main", "--signal=KILL", host.unit])


@pytest.mark.timeout(900)
def test_etcd_is_killed_in_the_middle_of_each_round(lab: Lab) -> None:
    for number, (round_, state) in enumerate(zip(ROUNDS, STATES, strict=True)):
        resume = ["--resume"] if number else ["--yes"]
        with (
            case(
                lab,
                "a member's etcd is killed (SIGKILL)",
                round_,
                exits=(FINISHES, STOPS_AND_RESUMES),
                expected="systemd starts it again, the run goes on; a registration in flight may stop it",
            ) as under_way,
            strike_during(lab, round_, lambda: kill_etcd(lab.host("server1"))),
        ):
            under_way.finish(PLAN, "--until", state, *resume)
