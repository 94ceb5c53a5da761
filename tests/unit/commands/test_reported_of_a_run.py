"""What status and check say where the state file is lost, or does not fit the plan any more."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from engine.walking import begin, context
from engine.world import World, make_cluster

from orchestrator import __version__
from orchestrator.commands import check, locks, recall, recover
from orchestrator.commands.preflight import Looked
from orchestrator.commands.status import read_progress, show_status
from orchestrator.engine.run import run
from orchestrator.engine.state_file import StateFile
from orchestrator.errors import HostUnreachableError, PersonNeededError, RefusedError
from orchestrator.etcd.checks.item import Finding
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.remote.executor import LiveExecutor
from orchestrator.session import Session

LOST = "run ab12cd34 began here, rebuild it: orchestrator recover plan.yaml"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session with hosts that remember a run."""
    monkeypatch.setattr(locks, "look", lambda _: {})
    monkeypatch.setattr(recover, "forgotten", lambda _: LOST)
    cluster = make_cluster(tmp_path)
    return Session(tmp_path / "plan.yaml", tmp_path / "state", cluster, BRIDGE, (), World(cluster))


def walk(session: Session, until: str | None) -> None:
    facts = recall.read_facts(session)
    there = recall.compile_there(session, facts)
    with StateFile(session.state) as event_log:
        begin(event_log, there, facts)
        run(there, LiveExecutor(session.hosts), event_log, context(session.cluster), until=until)


def test_status_without_a_state_file_invents_none_and_names_the_run_that_was_lost(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    walk(session, "bridged")
    session.state.unlink()
    with pytest.raises(PersonNeededError) as astray:
        show_status(session)
    reported = capsys.readouterr().out
    assert f"no state file: {session.state}\n{LOST}\n" in reported
    assert "going back now" not in reported
    for text in (reported, str(astray.value)):
        assert "the state file says" not in text
    assert "server1 (stands in bridged: a run begins in plaintext)" in str(astray.value)


def test_status_shows_the_hosts_although_it_cannot_ask_which_runs_they_remember(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(_: Session) -> str:
        raise HostUnreachableError("server3", "timed out")

    monkeypatch.setattr(recover, "forgotten", away)
    show_status(session)
    assert "remember a run: server3: timed out" in capsys.readouterr().out


def test_status_says_that_the_plan_was_changed(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    walk(session, "staged")
    show_status(session)
    assert "was changed since the run began" not in capsys.readouterr().out
    ports = session.cluster.ports.model_copy(update={"local": 4002})
    show_status(replace(session, cluster=session.cluster.model_copy(update={"ports": ports})))
    assert (
        "plan.yaml (or a certificate that it names) was changed since the run began"
        in capsys.readouterr().out
    )


def test_a_runbook_of_another_version_is_not_laid_to_the_plan(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(session, "staged")
    monkeypatch.setattr(recall, "__version__", "99.1")
    ports = session.cluster.ports.model_copy(update={"local": 4002})
    upgraded = replace(session, cluster=session.cluster.model_copy(update={"ports": ports}))
    reported = (
        f"began with version {re.escape(__version__)} of this program, and this is 99.1: give this command"
    )
    with pytest.raises(RefusedError, match=reported):
        recall.recall(upgraded, read_progress(session))


@pytest.mark.parametrize("verdict", ["pass", "fail"])
@pytest.mark.parametrize("command", [check.show, check.passed])
def test_a_check_names_a_forgotten_run_instead_of_what_that_run_has_changed(
    session: Session, monkeypatch: pytest.MonkeyPatch, command: object, verdict: str
) -> None:
    finding = SimpleNamespace(verdict=verdict, check="registry", where="cluster")
    looked = Looked((finding,), recall.read_facts(session), ())  # type: ignore[arg-type] # it is never shown
    monkeypatch.setattr(check, "look", lambda _: looked)
    monkeypatch.setattr(check, "is_at_the_end", lambda *_: False)
    with pytest.raises(RefusedError, match="nothing was changed: run ab12cd34 began here"):
        command(session)  # type: ignore[operator]


def test_while_somebody_holds_the_locks_that_is_reported_and_not_how_to_recover(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = Finding("lock", "server1", "fail", "held by run ab12", "two at once", "wait for that run")
    monkeypatch.setattr(check, "look", lambda _: Looked((finding,), recall.read_facts(session), ()))
    monkeypatch.setattr(check, "is_at_the_end", lambda *_: False)
    with pytest.raises(RefusedError, match=r"lock \(server1\) failed"):
        check.show(session)
    assert "wait for that run" in capsys.readouterr().out
