"""Of the throwaway etcds that prove certificates nothing is left; what they find: faults/."""

from live.stories import failure, orchestrator

from orchestrator.etcd import trial
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

MEMBERS = ("server1", "server2", "server3")


def left_of_trials(lab: Lab) -> dict[str, str]:
    """What the throwaway etcds left on the hosts: directories, units, listeners."""
    look = f"ls -d {trial.DIRECTORY}; systemctl list-units --no-legend 'orchestrator-trial*'"
    port = lab.cluster.ports.trial
    listening = f"ss --no-header --listening --tcp --numeric '( sport = :{port} )'"
    return {
        host.name: host.run(["sh", "-c", f"{look}; {listening}"], check=False).stdout for host in lab.hosts
    }


def test_nothing_of_the_trials_is_left_on_the_way_back_or_on(lab: Lab) -> None:
    done = orchestrator(lab, "run", PLAN, "--yes", "--until", "proven")
    assert done.returncode == 0, failure(done)
    assert all(left_of_trials(lab).values())
    done = orchestrator(lab, "rollback", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    assert dict.fromkeys(MEMBERS, "") == left_of_trials(lab)

    done = orchestrator(lab, "run", PLAN, "--yes", "--until", "accepting")
    assert done.returncode == 0, failure(done)
    assert dict.fromkeys(MEMBERS, "") == left_of_trials(lab)
