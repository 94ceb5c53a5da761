"""What run and rollback refuse before they touch a host, and what they say to do instead."""

from dataclasses import replace

import pytest
from engine.walking import begin, context

from orchestrator.commands import check, keeping, locks, recall, rollback
from orchestrator.commands import run as running
from orchestrator.commands.phases.call import RunOptions, Shape
from orchestrator.commands.status import show_status
from orchestrator.engine.run import run
from orchestrator.engine.state_file import StateFile, progress_of
from orchestrator.errors import HostUnreachableError, RefusedError, UsageError
from orchestrator.migrations import MIGRATIONS
from orchestrator.remote.executor import LiveExecutor
from orchestrator.session import Session


@pytest.fixture
def undone(session: Session) -> Session:
    """A session whose run was begun and rolled back to the first state."""
    facts = recall.read_facts(session)
    there = recall.compile_there(session, facts)
    with StateFile(session.state) as event_log:
        for way, until in ((there, "staged"), (recall.compile_back(session, facts), None)):
            begin(event_log, way, facts)
            run(way, LiveExecutor(session.hosts), event_log, context(session.cluster), until=until)
        assert event_log.progress.is_rolled_back
    return session


@pytest.mark.parametrize("state", ["plaintext", "relaying", "relaying-staged", "nonesuch"])
def test_a_run_pauses_only_where_its_hosts_come_to(session: Session, state: str) -> None:
    wish = RunOptions(resume=False, until=state, accept_risk=False)
    with pytest.raises(UsageError) as refused:
        running.live(session, context(session.cluster), wish, confirm=None)
    goals = "staged, proven, accepting, bridged, switched, sealed"
    assert str(refused.value) == f"--until {state}: a run of this plan comes to {goals}"
    assert not session.state.exists()


def test_a_run_that_was_rolled_back_is_begun_anew_and_not_resumed(undone: Session) -> None:
    before = undone.state.read_bytes()
    wish = RunOptions(resume=True, until=None, accept_risk=False)
    with pytest.raises(UsageError, match=r"was rolled back, so .* Begin anew: .* run .*plan\.yaml"):
        running.live(undone, context(undone.cluster), wish, confirm=None)
    assert before == undone.state.read_bytes()
    assert [undone.state] == list(undone.state.parent.glob("state*"))


def test_a_dry_run_behind_a_rollback_is_that_of_a_new_run(
    undone: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "passed", lambda one, _: (recall.read_facts(one), ()))
    ports = undone.cluster.ports.model_copy(update={"local": 4002})
    changed = replace(undone, cluster=undone.cluster.model_copy(update={"ports": ports}))
    running.dry(changed, context(changed.cluster), Shape())
    assert "server1, server2, server3: from plaintext to sealed." in capsys.readouterr().out


def test_where_nothing_was_begun_it_says_how_to_begin_and_where_a_file_was_lost(session: Session) -> None:
    wish = RunOptions(resume=True, until=None, accept_risk=False)
    with pytest.raises(UsageError) as refused:
        running.live(session, context(session.cluster), wish, confirm=None)
    assert f"To begin: {session.command('run')}. " in str(refused.value)
    assert str(refused.value).endswith(f"If the file was lost: {session.command('recover')}")


@pytest.fixture
def staged(session: Session) -> Session:
    """A session whose run stands in 'staged'."""
    facts = recall.read_facts(session)
    there = recall.compile_there(session, facts)
    with StateFile(session.state) as event_log:
        begin(event_log, there, facts)
        run(there, LiveExecutor(session.hosts), event_log, context(session.cluster), until="staged")
    return session


@pytest.mark.parametrize("command", ["run", "rollback"])
def test_an_edited_plan_is_refused_with_the_steps_that_it_changes(staged: Session, command: str) -> None:
    key = staged.cluster.members[1].key
    key.write_text(staged.cluster.members[0].key.read_text())
    wish, haste = RunOptions(resume=True, until=None, accept_risk=False), context(staged.cluster)
    commands = {
        "run": lambda: running.live(staged, haste, wish, confirm=None),
        "rollback": lambda: rollback.live(staged, haste, confirm=None),
    }
    with pytest.raises(RefusedError) as refused:
        commands[command]()
    assert " (stage/server2 would do something else now); nothing was changed now." in str(refused.value)
    assert "then give this command again" in str(refused.value)


@pytest.mark.parametrize("change", [{"name": "other"}, {"strategy": "guide"}])
def test_the_state_file_of_another_plan_is_never_to_be_recovered(
    staged: Session, change: dict[str, str]
) -> None:
    migration = MIGRATIONS[change.get("strategy", "bridge")]
    other = replace(staged, cluster=staged.cluster.model_copy(update=change), migration=migration)
    progress = progress_of(staged.state)
    for look in (lambda: recall.recall(other, progress), lambda: show_status(other)):
        with pytest.raises(RefusedError) as refused:
            look()
        assert "tells of bridge of three-members, and " in str(refused.value)
        assert "Put the plan back as it was, or name this plan's own file with --state" in str(refused.value)
        assert "recover" not in str(refused.value)


def test_a_paused_run_says_how_it_goes_on(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "passed", lambda one, _: (recall.read_facts(one), ()))
    monkeypatch.setattr(locks, "seen", lambda _, hosts: dict.fromkeys(hosts))
    monkeypatch.setattr(keeping, "keep", lambda *_: "kept")
    options = RunOptions(resume=False, until="staged", accept_risk=False)
    running.live(session, context(session.cluster), options, confirm=None)
    assert f"go on with: {session.resume_command}\n" in capsys.readouterr().out


def test_who_cannot_be_asked_for_a_lock_is_no_success(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "seen", lambda *_: {"server1": None, "server2": "timed out"})
    with pytest.raises(HostUnreachableError, match="server2: timed out"):
        locks.report(session)
    assert "server1  free\nserver2  cannot be asked: timed out\n" in capsys.readouterr().out
