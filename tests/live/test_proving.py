"""Of the trials nothing is left, whoever ends them; what they find: test_trial.py and faults/."""

from live.faults.strikes import job_done
from live.stories import events, failure, orchestrator, restarts, run_and_kill, shell

from orchestrator.engine.events import StepSucceeded
from orchestrator.etcd import trial
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

MEMBERS = ("server1", "server2", "server3")


def left_of_trials(lab: Lab) -> dict[str, str]:
    """What the trials left on the hosts: directories, units, listeners."""
    units = "systemctl list-units --all --no-legend 'orchestrator-trial*'"
    look = f"cd /; ls -d {trial.DIRECTORY} {trial.DROP_INS}; {units}"
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


def test_trials_that_nobody_ends_end_by_themselves_and_the_run_goes_on(lab: Lab) -> None:
    done = orchestrator(lab, "run", PLAN, "--yes", "--until", "proven")
    assert done.returncode == 0, failure(done)
    for host in lab.hosts:
        timer = shell(host, "systemctl show --property=ActiveState --value orchestrator-trial-end.timer")
        assert timer == "active\n"
        ending = "orchestrator-trial-end.service"
        shell(host, f"systemctl start {ending}")  # what the timer does in its time
        shell(host, f"while systemctl is-active --quiet {ending}; do sleep 0.1; done")
    assert dict.fromkeys(MEMBERS, "") == left_of_trials(lab)
    assert {0} == set(restarts(lab).values())

    done = orchestrator(lab, "run", PLAN, "--resume")
    assert done.returncode == 0, failure(done)
    assert {2} == set(restarts(lab).values())


def test_a_run_that_dies_in_the_middle_of_the_round_takes_it_anew(lab: Lab) -> None:
    run_and_kill(lab, job_done(lab, "prove"), "run", PLAN, "--yes")
    for host in lab.hosts[:2]:
        shell(host, "systemctl kill --signal=KILL orchestrator-trial.service || :")
    done = orchestrator(lab, "run", PLAN, "--resume", "--until", "proven")
    assert done.returncode == 0, failure(done)
    steps = [event.step for event in events(lab) if isinstance(event, StepSucceeded)]
    assert "undo-prove/server1" in steps
    assert [f"prove/{name}" for name in MEMBERS] == steps[-3:]
    assert {0} == set(restarts(lab).values())
