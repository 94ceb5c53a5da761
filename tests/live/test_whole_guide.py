"""The whole guide on real hosts: members, a proxy and local clients, both orders, both interfaces."""

from pathlib import Path

import pytest
from live.conftest import FRESH

from orchestrator.lab.lifecycle.lab import down
from orchestrator.lab.proof.rehearsal import program, rehearse
from orchestrator.lab.proof.rendering import render
from orchestrator.lab.provisioning.plan_copy import PLAN

WHOLE_GUIDE = Path(__file__).parents[2] / "plans" / "whole-guide.yaml"
REFRESH = {"ETCD_PROXY_REFRESH_INTERVAL": "5000"}  # the guide's 30 s, in a sixth of the time

# A member that starts plays its log, and tells a proxy that refreshes just then of members as they once were.
# That may be the proxy's end (docs/etcd-facts.md), and is no part of this test: so there is little to play.
SNAPSHOTS = {"ETCD_SNAPSHOT_COUNT": "1000"}


@pytest.mark.parametrize("api", ["v3", "v2"])
@pytest.mark.parametrize(("strategy", "restarts"), [("bridge", 2), ("guide", 3)])
@pytest.mark.usefixtures("base_system")
def test_nothing_is_lost_through_members_proxy_and_local_ports(
    strategy: str, restarts: int, api: str, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.yaml"
    text = WHOLE_GUIDE.read_text()
    plan.write_text(
        text.replace("strategy: bridge ", f"strategy: {strategy} ").replace("api: auto ", f"api: {api} ")
    )
    command = program("run", PLAN, "--yes", "--accept-risk")
    down(FRESH)
    outcome = rehearse(
        plan,
        command,
        prefix=FRESH,
        extra_settings=SNAPSHOTS,
        proxy_settings=REFRESH,
        log=tmp_path / "run.log",
        leisure=4,  # there are five clients
        closing=program("status", PLAN),
    )

    reported = render(outcome) + (tmp_path / "run.log").read_text()[-4000:]
    assert outcome.program_exit == 0, reported
    assert [restarts] * 3 == [member.restarts for member in outcome.members], reported
    assert 0 == outcome.probe.lost + sum(way.lost for way in outcome.single_ways.values()), reported
    assert all(client.state == "active" for client in outcome.local_clients), reported
    if strategy == "bridge":
        assert outcome.exit_code == 0, reported
        assert 0 == outcome.probe.failed + sum(way.failed for way in outcome.single_ways.values()), reported
