"""Going back on real hosts from the end; from each round's middle: faults/test_faults_of_orchestrator.py."""

from live.stories import failure, orchestrator, state_file, writing
from live.untouched import Before

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN


def test_from_the_end_back_to_the_first_state_and_forward_again(lab: Lab) -> None:
    before = Before.of(lab)
    with writing(lab):
        done = orchestrator(lab, "run", PLAN, "--yes")
        assert done.returncode == 0, failure(done)
        assert "going back now: 18 steps" in orchestrator(lab, "status", PLAN).stdout
        done = orchestrator(lab, "rollback", PLAN, "--yes")
        assert done.returncode == 0, failure(done)
    before.assert_again(lab)

    done = orchestrator(lab, "run", PLAN, "--yes", "--until", "staged")
    assert done.returncode == 0, failure(done)
    assert len(list(state_file(lab).parent.glob("plan.yaml.state.jsonl.*"))) == 1
