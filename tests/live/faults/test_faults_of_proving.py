"""A certificate that hides behind a healthy cluster is found by handshakes, before anything restarts."""

import pytest
from live.faults.record import STOPPED, case, succeed
from live.stories import failure, orchestrator, restarts

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

OTHER_SOURCE = "198.18.0.150"  # an address that no certificate names


@pytest.mark.timeout(600)
def test_a_source_address_that_no_certificate_names_is_found_before_any_restart(hasty_lab: Lab) -> None:
    lab = hasty_lab
    succeed(orchestrator(lab, "run", PLAN, "--yes", "--until", "staged"))
    one = lab.host("server1")
    route = ["198.18.0.103/32", "dev", "eth0", "src", OTHER_SOURCE]
    with case(
        lab,
        "a member dials from an address that its certificate does not name",
        "prove",
        exits=((STOPPED, 0),),
        expected="found by a handshake of that pair, with both their words, before any restart",
    ) as now:
        one.run(["ip", "address", "add", f"{OTHER_SOURCE}/32", "dev", "eth0"])
        one.run(["ip", "route", "add", *route])
        stopped = now.run("run", PLAN, "--resume")
        assert "server1 cannot reach https://198.18.0.103:12380 over TLS" in stopped.stderr, failure(stopped)
        assert OTHER_SOURCE in stopped.stderr.rpartition("server3 said: ")[2]
        assert "for other certificates roll back first" in stopped.stderr
        assert {0} == set(restarts(lab).values())

        one.run(["ip", "route", "delete", *route])
        now.run("run", PLAN, "--resume", "--until", "accepting")
