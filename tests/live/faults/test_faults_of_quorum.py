"""Certificates expire in the middle of a migration, and the quorum is gone: the way back by restarts."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.stories import events, failure, orchestrator, restarts, unhealthy, wait_until_healthy

from orchestrator.engine.journal import StateFile
from orchestrator.engine.pace import Pace
from orchestrator.engine.progress import Progress
from orchestrator.lab import faults
from orchestrator.lab.lab import Lab
from orchestrator.lab.plancopy import PLAN
from orchestrator.pki import making
from orchestrator.pki.issuing import Terms
from orchestrator.session import header, new_run, open_session

MEMBERS = ("server1", "server2", "server3")
LASTS_S = 45.0  # long enough to come to the middle of the migration


@pytest.fixture
def hasty_plan(tmp_path: Path) -> Path:
    plan = tmp_path / "plan.yaml"
    plan.write_text(THREE_MEMBERS.read_text().replace("gate: 90s", "gate: 8s"))
    return plan


def migrate_with_certificates_that_expire(lab: Lab) -> datetime:
    """Come to 'switched' without the checks, which would refuse such certificates; return when they end."""
    ends = datetime.now(UTC) + timedelta(seconds=LASTS_S)
    for path in lab.cluster.tls.ca.parent.rglob("*.pem"):
        path.unlink()
    making.make(lab.cluster, {}, Terms("ec", 1, ends - timedelta(days=1)), ca_days=10)
    with lab.in_bastion(), open_session(lab.plan, None) as session, StateFile(session.state) as journal:
        facts = session.gather()
        runbook = session.compile(facts)
        run = new_run()
        journal.append(header(session, run, facts, runbook))
        with session.locked(run, "run", pytest.fail, absent_ok=False) as lease:
            session.live(lease, runbook, journal, Pace(session.cluster.patience), until="switched")
    return ends


@pytest.mark.usefixtures("base_system")
def test_expired_in_the_middle_it_goes_back_by_restarts(hasty_plan: Path) -> None:
    with booted(FRESH, hasty_plan) as lab:
        ends = migrate_with_certificates_that_expire(lab)
        put = ["etcdctl", "--endpoints=http://127.0.0.1:4001", "put", "written-before", "kept"]
        lab.hosts[0].run(put)
        while datetime.now(UTC) < ends:
            time.sleep(0.5)
        for host in lab.hosts:
            faults.kill_connections(host, lab.cluster.ports.peer)
        time.sleep(5.0)
        assert set(MEMBERS) == set(unhealthy(lab))

        forward = orchestrator(lab, "run", PLAN, "--resume")
        assert forward.returncode == 9, failure(forward)
        assert "'rollback' restarts members with http" in forward.stderr
        back = orchestrator(lab, "rollback", PLAN, "--yes")
        assert back.returncode == 0, failure(back)

        wait_until_healthy(lab)
        assert dict.fromkeys(MEMBERS, "plaintext") == Progress.of(events(lab)).states
        got = lab.hosts[2].run(["etcdctl", "--endpoints=http://127.0.0.1:2379", "get", "written-before"])
        assert "kept" in got.stdout
        assert dict.fromkeys(MEMBERS, 4) == restarts(lab)
