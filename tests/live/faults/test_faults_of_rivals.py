"""Two orchestrators at once, in the middle of rounds: the second is refused, and the first goes on."""

import pytest
from live.faults.record import FINISHES, case, words
from live.faults.strikes import announced, held_still, strike_when
from live.stories import ROUNDS, STATES, failure, orchestrator

from orchestrator.host import lock
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

OTHER = "other.yaml"  # the same plan on another bastion, with a state file of its own
LOCKED = 6
FAULT = "a second run, on the same state file and from another bastion"
REFUSED = "the second is refused with 6 and told who holds it; the first goes on"


def refuse(lab: Lab, *arguments: str, reported: str) -> None:
    """Start a second orchestrator, which has to be refused."""
    refused = orchestrator(lab, *arguments)
    assert refused.returncode == LOCKED, failure(refused)
    assert reported in words(refused.stderr), failure(refused)


@pytest.mark.timeout(1200)
def test_a_second_orchestrator_is_refused_in_the_middle_of_each_round(lab: Lab) -> None:
    (lab.directory / OTHER).write_text((lab.directory / PLAN).read_text())

    def strike(_: Host) -> None:
        with held_still(lab):
            refuse(lab, "run", PLAN, "--resume", reported="is in use by")
            refuse(lab, "run", OTHER, "--yes", reported="is locked by run")

    for number, (round_, state) in enumerate(zip(ROUNDS, STATES, strict=True)):
        with (
            case(lab, FAULT, round_, exits=(FINISHES,), expected=REFUSED) as under_way,
            strike_when(lab, announced(round_), strike),
        ):
            under_way.finish(PLAN, "--until", state, *(["--resume"] if number else ["--yes"]))
        for host in lab.hosts:
            assert host.run(["test", "-e", lock.HOLDER], check=False).returncode == 1
