"""What a migration puts on a host is shown whole, but for keys."""

import pytest
from engine.walking import begin, compiled, context
from engine.world import World

from orchestrator.commands.files import reported
from orchestrator.commands.recall import read_facts
from orchestrator.engine.run import run
from orchestrator.engine.state_file import StateFile
from orchestrator.errors import UsageError
from orchestrator.remote.executor import LiveExecutor
from orchestrator.session import Session


def test_each_file_is_shown_with_its_content_and_the_state_that_it_belongs_to(session: Session) -> None:
    shown = reported(session, "server2")
    assert shown.startswith("server2 stands in plaintext. ")
    rounds = [line for line in shown.splitlines() if line.endswith(" on:")]
    assert ["from staged on:", "from accepting on:", "from switched on:"] == rounds
    drop_in = shown.partition("from accepting on:")[2].partition("from switched on:")[0]
    assert '| Environment="ETCD_CERT_FILE=/etc/etcd2/server2.pem"' in drop_in
    key = session.cluster.member("server2").key
    assert str(key) in shown
    assert key.read_text() not in shown


def test_it_tells_of_the_run_in_the_state_file(session: Session) -> None:
    world = session.hosts
    assert isinstance(world, World)
    runbook = compiled(session.cluster, world)
    with StateFile(session.state) as event_log:
        begin(event_log, runbook, read_facts(session))
        run(runbook, LiveExecutor(world), event_log, context(session.cluster), until="accepting")
    assert reported(session, "server1").startswith("server1 stands in accepting. ")


def test_a_host_that_the_plan_does_not_name(session: Session) -> None:
    with pytest.raises(UsageError, match="server9: the plan's hosts are server1, server2, server3"):
        reported(session, "server9")
