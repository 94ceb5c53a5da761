"""Certificates that hide behind a healthy cluster are found before any restart, by a real etcd."""

from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.stories import events, failure, orchestrator, restarts, writing

from orchestrator.engine.progress import Progress
from orchestrator.etcd import trial
from orchestrator.lab.lab import Lab
from orchestrator.lab.plancopy import PLAN

MEMBERS = ("server1", "server2", "server3")
OTHER_SOURCE = "198.18.0.150"  # an address that no certificate names


@pytest.fixture
def hasty_plan(tmp_path: Path) -> Path:
    plan = tmp_path / "plan.yaml"
    text = THREE_MEMBERS.read_text().replace("gate: 90s", "gate: 8s")
    assert "gate: 8s" in text
    plan.write_text(text)
    return plan


def left_of_trials(lab: Lab) -> dict[str, str]:
    """What the throwaway etcds left on the hosts: directories, units, listeners."""
    look = f"ls -d {trial.DIRECTORY}; systemctl list-units --no-legend 'orchestrator-trial*'"
    port = lab.cluster.ports.trial
    listening = f"ss --no-header --listening --tcp --numeric '( sport = :{port} )'"
    return {
        host.name: host.run(["sh", "-c", f"{look}; {listening}"], check=False).stdout for host in lab.hosts
    }


@pytest.mark.usefixtures("base_system")
def test_a_source_address_that_no_certificate_names_is_found_before_any_restart(hasty_plan: Path) -> None:
    with booted(FRESH, hasty_plan) as lab, writing(lab):
        done = orchestrator(lab, "run", PLAN, "--yes", "--until", "staged")
        assert done.returncode == 0, failure(done)
        one = lab.host("server1")
        one.run(["ip", "address", "add", f"{OTHER_SOURCE}/32", "dev", "eth0"])
        route = ["ip", "route", "add", "198.18.0.103/32", "dev", "eth0", "src", OTHER_SOURCE]
        one.run(route)

        stopped = orchestrator(lab, "run", PLAN, "--resume")
        assert stopped.returncode == 7, failure(stopped)
        assert "server1 cannot reach https://198.18.0.103:12380 over TLS" in stopped.stderr
        assert OTHER_SOURCE in stopped.stderr.rpartition("server3 said: ")[2]
        assert dict.fromkeys(MEMBERS, 0) == restarts(lab)

        one.run(["ip", "route", "delete", *route[3:]])
        done = orchestrator(lab, "run", PLAN, "--resume", "--until", "accepting")
        assert done.returncode == 0, failure(done)
        assert dict.fromkeys(MEMBERS, "accepting") == Progress.of(events(lab)).states
        assert dict.fromkeys(MEMBERS, "") == left_of_trials(lab)


def test_a_rollback_leaves_nothing_of_the_trials(lab: Lab) -> None:
    done = orchestrator(lab, "run", PLAN, "--yes", "--until", "proven")
    assert done.returncode == 0, failure(done)
    assert all(left_of_trials(lab).values())
    done = orchestrator(lab, "rollback", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    assert dict.fromkeys(MEMBERS, "") == left_of_trials(lab)
