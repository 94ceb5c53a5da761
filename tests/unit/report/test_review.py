"""The review says of each step whether it takes a member away, and nothing but a restart does that."""

from dataclasses import replace
from pathlib import Path

from engine.walking import compiled
from engine.world import World, make_cluster

from orchestrator.commands.phases.review import _sources
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import Job, Remove, Run
from orchestrator.plan.facts import Source
from orchestrator.report.review import review


def test_only_a_restart_takes_a_member_away_whatever_a_path_is_called(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    runbook = compiled(cluster, World(cluster))
    jobs = [
        Job(f"ab12-{step.id}", step.host, step.operations, 60.0, step=step.id)
        for step in (runbook.step("stage/server1"), runbook.step("accept/server1"))
    ]
    reported = [line.strip() for line in review(runbook, jobs).splitlines()]
    assert "1. server1: stage (no restart)" in reported
    assert "2. server1: accept (restarts the member)" in reported

    quiet = (Remove("/srv/restart/ca.pem"), Run(("etcdctl", "put", "restart", "now")))
    assert not replace(runbook.step("accept/server1"), operations=quiet).restarts


def test_where_settings_are_changed_is_said_before_the_steps(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    runbook = compiled(cluster, World(cluster))
    facts = gather(cluster, World(cluster).look)
    flagged = facts.members["server2"].model_copy(
        update={"source": Source(flags=("ETCD_NAME",), command="/usr/bin/etcd --name=a")}
    )
    others = facts.model_copy(update={"members": {**facts.members, "server2": flagged}})
    reported = "server2: settings from flags in ExecStart=, changed there by files of ours beside theirs."
    assert [] == list(_sources(facts))
    assert [reported] == list(_sources(others))
    assert reported in review(runbook, [], sources=list(_sources(others))).splitlines()[:6]
