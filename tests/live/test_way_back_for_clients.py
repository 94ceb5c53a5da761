"""Going back, clients are served over http again from the first restart on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.stories import failure, first_of, orchestrator

from orchestrator.engine.events import StepStarted, StepSucceeded
from orchestrator.lab.clients.crowd import PLAIN
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.proof.crowd import of_client
from orchestrator.lab.proof.probers import RunningProber
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.probe.tally import ClientReport, CrowdReport

CLIENTS = "clients: {overlap: true, quiet: 5s, close: [extra]}\n"
JUDGED = (PLAIN, "AutoSync", "short connections", "etcdctl watch", "etcdctl put, from cron")


@contextmanager
def crowded(lab: Lab) -> Iterator[tuple[RunningProber, list[ClientReport]]]:
    """Clients of every kind use the cluster all the while; their reports are there behind the end."""
    reports: list[ClientReport] = []
    crowd = RunningProber.start_crowd(lab)
    try:
        crowd.wait_for_writes()
        yield crowd, reports
        crowd.wait_for_writes(timeout_s=60.0)
        reports += crowd.finish(CrowdReport).clients
    finally:
        crowd.kill()
    reports[:] = [each for each in reports if each.kind in JUDGED]
    assert len(JUDGED) == len(reports)


def succeeds(lab: Lab, *arguments: str) -> None:
    done = orchestrator(lab, *arguments)
    assert done.returncode == 0, failure(done)


@pytest.mark.timeout(600)
def test_who_knows_http_alone_is_served_again_from_the_first_restart_on(
    base_system: Path,  # noqa: ARG001 - it has to be there
    tmp_path: Path,
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"{THREE_MEMBERS.read_text()}{CLIENTS}")
    with booted(FRESH, plan) as lab:
        with crowded(lab) as (crowd, from_the_rest):
            succeeds(lab, "run", PLAN, "--yes", "--until", "bridged")
            crowd.move_back()  # before https goes, as the review says
            succeeds(lab, "rollback", PLAN, "--yes")
        assert [] == [complaint for each in from_the_rest for complaint in of_client(each, None)]

        with crowded(lab) as (crowd, from_the_end):
            succeeds(lab, "run", PLAN, "--yes", "--cut-off")
            crowd.move_back()  # before https goes, as the review says
            succeeds(lab, "rollback", PLAN, "--yes")
        closed, served = first_of(lab, StepStarted, "switch"), first_of(lab, StepSucceeded, "undo-switch")
        (stayer,) = (each for each in from_the_end if each.kind == PLAIN)
        assert stayer.failed_at, "http was never closed"
        assert [] == [at for at in stayer.failed_at if not closed < at < served], (closed, served, stayer)
        others = (each for each in from_the_end if each.kind != PLAIN)
        assert [] == [complaint for each in others for complaint in of_client(each, None)]
