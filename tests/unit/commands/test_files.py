"""What a migration puts on a host is shown whole, but for keys."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from engine.walking import begin, compiled, context
from engine.world import World

from orchestrator.commands.files import content, reported
from orchestrator.commands.recall import read_facts
from orchestrator.engine.run import run
from orchestrator.engine.state_file import StateFile
from orchestrator.errors import RefusedError, UsageError
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


def moved(session: Session, until: str) -> World:
    """Take a session's hosts to a state."""
    world = session.hosts
    assert isinstance(world, World)
    runbook = compiled(session.cluster, world)
    with StateFile(session.state) as event_log:
        begin(event_log, runbook, read_facts(session))
        run(runbook, LiveExecutor(world), event_log, context(session.cluster), until=until)
    return world


def test_it_tells_of_the_run_in_the_state_file(session: Session) -> None:
    moved(session, "accepting")
    assert reported(session, "server1").startswith("server1 stands in accepting. ")


def test_a_host_that_the_plan_does_not_name(session: Session) -> None:
    with pytest.raises(UsageError, match="server9: the plan's hosts are server1, server2, server3"):
        reported(session, "server9")


@pytest.mark.parametrize("until", ["staged", "accepting", "switched", "sealed"])
def test_a_files_content_is_what_lies_on_the_host_where_that_stands(session: Session, until: str) -> None:
    key = session.cluster.tls.directory + "/server2-key.pem"
    lying = moved(session, until).hosts["server2"].files
    ours = {path: text for path, (text, *_) in lying.items() if not path.startswith("/run/") and path != key}
    assert len(ours) >= 3
    assert ours == {path: content(session, "server2", path) for path in ours}
    with pytest.raises(UsageError, match=r"holds a key, which is not printed: .* files .*plan.yaml server2 "):
        content(session, "server2", key)


def test_a_path_that_is_not_ours_there_yet_brings_those_that_are(session: Session) -> None:
    with pytest.raises(
        UsageError, match=r"'/etc/passwd' is none of .* server1 has of a run in plaintext: there are"
    ):
        content(session, "server1", "/etc/passwd")
    moved(session, "staged")
    drop_in = "/etc/systemd/system/etcd2.service.d/40-tls.conf"
    with pytest.raises(UsageError, match=rf"{drop_in}' is none of .* in staged: /etc/etcd2/ca.pem, "):
        content(session, "server1", drop_in)
    with pytest.raises(UsageError, match="server9: the plan's hosts are"):
        content(session, "server9", drop_in)


@pytest.mark.parametrize("shown", [reported, partial(content, path="/etc/etcd2/ca.pem")], ids=["all", "one"])
def test_a_plan_that_was_edited_since_shows_nothing_of_its_own(
    session: Session, shown: Callable[[Session, str], str]
) -> None:
    moved(session, "accepting")
    tls = session.cluster.tls.model_copy(update={"directory": "/etc/elsewhere"})
    edited = replace(session, cluster=session.cluster.model_copy(update={"tls": tls}))
    with pytest.raises(RefusedError, match=r"its runbook is .*, the state file's is "):
        shown(edited, "server1")
