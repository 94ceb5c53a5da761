"""Going back on real hosts: from the end, and from the middle of a round with a step in doubt."""

import pytest
from live.stories import (
    events,
    failure,
    orchestrator,
    run_and_kill,
    state_file,
    unhealthy,
    writing,
)

from orchestrator.engine.events import Recorded, StepStarted
from orchestrator.engine.progress import Progress
from orchestrator.lab.lab import Lab
from orchestrator.lab.plancopy import PLAN

MEMBERS = ("server1", "server2", "server3")
OURS = ("/etc/etcd2", "/etc/systemd/system/etcd2.service.d", "/usr/local/share/ca-certificates")


def what_lies(lab: Lab) -> dict[str, str]:
    """What lies where the migration puts files, host by host."""
    return {host.name: host.run(["find", *OURS, "-type", "f"], check=False).stdout for host in lab.hosts}


def bundle(lab: Lab) -> dict[str, str]:
    return {
        host.name: host.run(["sha256sum", "/etc/ssl/certs/ca-certificates.crt"]).stdout for host in lab.hosts
    }


def assert_plaintext_again(lab: Lab, lying: dict[str, str], trusted: dict[str, str]) -> None:
    assert dict.fromkeys(MEMBERS, "plaintext") == Progress.of(events(lab)).states
    assert not unhealthy(lab)
    assert lying == what_lies(lab)
    assert trusted == bundle(lab)
    for host in lab.hosts:
        asked = ["etcdctl", "--endpoints=http://127.0.0.1:2379", "member", "list"]
        assert "https" not in host.run(asked).stdout


def test_from_the_end_back_to_the_first_state_and_forward_again(lab: Lab) -> None:
    lying, trusted = what_lies(lab), bundle(lab)
    with writing(lab):
        done = orchestrator(lab, "run", PLAN, "--yes")
        assert done.returncode == 0, failure(done)
        assert "going back now: 18 steps" in orchestrator(lab, "status", PLAN).stdout
        done = orchestrator(lab, "rollback", PLAN, "--yes")
        assert done.returncode == 0, failure(done)
    assert_plaintext_again(lab, lying, trusted)

    done = orchestrator(lab, "run", PLAN, "--yes", "--until", "staged")
    assert done.returncode == 0, failure(done)
    assert len(list(state_file(lab).parent.glob("plan.yaml.state.jsonl.*"))) == 1


@pytest.mark.parametrize("round_", ["accept", "switch"])
def test_killed_in_the_middle_of_a_round_it_goes_back(lab: Lab, round_: str) -> None:
    lying, trusted = what_lies(lab), bundle(lab)

    def is_in_the_middle(so_far: list[Recorded]) -> bool:
        started = [event.step for event in so_far if isinstance(event, StepStarted)]
        return sum(step.startswith(f"{round_}/") for step in started) == 2

    with writing(lab):
        run_and_kill(lab, is_in_the_middle, "run", PLAN, "--yes")
        done = orchestrator(lab, "rollback", PLAN, "--yes")
        assert done.returncode == 0, failure(done)
    assert_plaintext_again(lab, lying, trusted)
