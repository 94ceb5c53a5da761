"""The quorum is gone: what helps depends on where members stand, and nothing is done that cannot work."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from live.faults.journeys import LIMIT_S
from live.faults.record import PERSON_NEEDED, case, succeed
from live.stories import failure, orchestrator, restarts, unhealthy, wait_until_healthy

from orchestrator.commands import recall
from orchestrator.commands.phases.call import Call, RunOptions, follow
from orchestrator.commands.phases.changing import lock_every_host, walk, write_header
from orchestrator.engine.context import RunContext
from orchestrator.engine.state_file import StateFile
from orchestrator.lab.hosts import link_faults
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.pki import making
from orchestrator.pki.issuing import Terms
from orchestrator.session import open_session

pytestmark = pytest.mark.timeout(LIMIT_S)

MEMBERS = ("server1", "server2", "server3")
LASTS_S = 45.0  # long enough to come to the middle of the migration
BACK = "a resume stops and advises; a rollback restarts members with http, which needs no quorum"
FIRST = "a rollback stops before it does anything, and says what has to be done first; then it goes back"


def migrate_with_certificates_that_expire(lab: Lab) -> datetime:
    """Come to 'switched' without the checks, which would refuse such certificates; return when they end."""
    ends = datetime.now(UTC) + timedelta(seconds=LASTS_S)
    for path in lab.cluster.tls.ca.parent.rglob("*.pem"):
        path.unlink()
    making.make(lab.cluster, {}, Terms("ec", 1, ends - timedelta(days=1)), ca_days=10)
    with lab.in_bastion(), open_session(lab.plan, None) as session, StateFile(session.state) as journal:
        context = Call(session, RunContext(session.cluster.patience), journal, RunOptions(until="switched"))
        context.facts = recall.read_facts(session)
        context.runbook = recall.compile_there(session, context.facts)
        follow((write_header, lock_every_host, walk), context)
    return ends


def test_expired_in_the_middle_it_goes_back_by_restarts(hasty_lab: Lab) -> None:
    lab = hasty_lab
    ends = migrate_with_certificates_that_expire(lab)
    with case(
        lab,
        "all certificates expire, and all peer connections are cut",
        "switched",
        exits=((PERSON_NEEDED, 0),),
        expected=BACK,
    ) as now:
        while datetime.now(UTC) < ends:
            time.sleep(0.5)
        for host in lab.hosts:
            link_faults.kill_connections(host, lab.cluster.ports.peer)
        time.sleep(5.0)
        assert set(MEMBERS) == set(unhealthy(lab))
        forward = now.run("run", PLAN, "--resume")
        assert "'rollback' restarts members with http" in forward.stderr, failure(forward)
        now.run("rollback", PLAN, "--yes")
    assert dict.fromkeys(MEMBERS, 4) == restarts(lab)


def stop(lab: Lab, *names: str) -> None:
    for name in names:
        lab.host(name).run(["systemctl", "stop", lab.host(name).unit])


def start(lab: Lab, *names: str) -> None:
    for name in names:  # each is ready with a quorum only
        lab.host(name).run(["systemctl", "start", "--no-block", lab.host(name).unit])


def test_two_of_three_members_are_down_and_it_goes_back(hasty_lab: Lab) -> None:
    lab, down = hasty_lab, ("server1", "server3")
    fault = "two of three members are down (systemctl stop)"
    with_updates = {"bridged": "all of them still speak http", "sealed": "bring them together first"}
    for state, reported in with_updates.items():
        succeed(orchestrator(lab, "run", PLAN, "--yes", "--until", state))
        with case(lab, fault, state, exits=((PERSON_NEEDED, 0),), expected=FIRST) as now:
            stop(lab, *down)
            before = restarts(lab)
            refused = now.run("rollback", PLAN, "--yes")
            assert reported in refused.stderr, failure(refused)
            assert before == restarts(lab)
            start(lab, *down)
            wait_until_healthy(lab)
            now.run("rollback", PLAN, "--yes")

    succeed(orchestrator(lab, "run", PLAN, "--yes", "--until", "switched"))
    with case(lab, fault, "switched", exits=((PERSON_NEEDED, 0),), expected=BACK) as now:
        stop(lab, *down)
        forward = now.run("run", PLAN, "--resume")
        assert "'rollback' restarts members with http" in forward.stderr, failure(forward)
        now.run("rollback", PLAN, "--yes")
