"""The phases of a run and of a rollback: their order, and that nothing changes before a person was asked."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import pytest
from engine.world import World, make_cluster
from support.fake_sessions import context, session_on

from orchestrator.commands import rollback, run
from orchestrator.commands.phases import before, changing
from orchestrator.commands.phases.call import Call, Phase, RunOptions, follow
from orchestrator.engine.state_file import StateFile, progress_of
from orchestrator.errors import RefusedError
from orchestrator.session import Session

BEFORE = "refuse_rivals match_plan check_hosts match_facts try_it review accept_risk accept_repair ask"
BEHIND = "write_header lock_every_host look_again save begin walk report_end"
RESUME = "lock_hosts_that_answer save begin walk report_end"
BACK = "lock_hosts_that_answer review ask begin walk unlock report_way_back"
ORDER = {
    "new": (run.NEW, f"{BEFORE} {BEHIND}"),
    "resumed": (
        run.RESUMED,
        f"refuse_unfinished match_plan recall_run match_facts {RESUME}",
    ),
    "back": (rollback.BACK, f"match_plan recall_way_back match_facts {BACK}"),
    "dry new": (run.DRY_NEW, "check_hosts review save"),
    "dry resumed": (run.DRY_RESUMED, "recall_run review save"),
    "dry back": (rollback.DRY_BACK, "recall_way_back review save"),
}


@pytest.mark.parametrize(("phases", "names"), ORDER.values(), ids=ORDER)
def test_the_order_of_the_phases(phases: Sequence[Phase], names: str) -> None:
    assert names.split() == [phase.__name__ for phase in phases]


@pytest.mark.parametrize("phases", [run.DRY_NEW, run.DRY_RESUMED, rollback.DRY_BACK])
def test_a_dry_run_has_no_phase_that_changes_anything(phases: Sequence[Phase]) -> None:
    assert changing.__name__ not in {phase.__module__ for phase in phases}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(make_cluster(tmp_path))


@pytest.fixture
def session(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Session:
    return session_on(tmp_path, world, monkeypatch)


def test_the_phases_of_a_new_run_before_the_question_change_nothing(session: Session, world: World) -> None:
    found = deepcopy(world.snapshot())
    with StateFile(session.state) as event_log:
        call = Call(session, context(session), event_log, confirm=pytest.fail)
        follow(run.NEW[: run.NEW.index(before.ask)], call)
        assert ([], b"", []) == (event_log.events, session.state.read_bytes(), world.performed)
    assert found == world.snapshot()
    assert not session.moment.has_changed


def test_who_says_no_has_changed_nothing_and_who_says_yes_is_asked_once(
    session: Session, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    found = deepcopy(world.snapshot())
    asked: list[str] = []

    def answer(question: str) -> bool:
        assert found == world.snapshot()
        assert ([], b"") == (world.performed, session.state.read_bytes())
        asked.append(question)
        return len(asked) > 1

    with pytest.raises(RefusedError, match="nothing was changed: you said no"):
        run.live(session, context(session), RunOptions(), confirm=answer)
    assert not session.state.exists()
    run.live(session, context(session), RunOptions(), confirm=answer)
    assert ["Do this?", "Do this?"] == asked
    assert progress_of(session.state).is_finished
    assert "done: server1 sealed, server2 sealed, server3 sealed" in capsys.readouterr().out
    assert {""} == {host.lock for host in world.hosts.values()}


def test_going_back_asks_before_any_member_changes_and_lets_go_of_the_locks(
    session: Session, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    options = RunOptions(until="accepting")
    run.live(session, context(session), options, confirm=None)
    found, lines = deepcopy(world.snapshot()), session.state.read_bytes()

    def refuse(_: str) -> bool:
        assert (found, lines) == (world.snapshot(), session.state.read_bytes())
        return False

    with pytest.raises(RefusedError, match="you said no"):
        rollback.live(session, context(session), confirm=refuse)
    assert (found, lines) == (world.snapshot(), session.state.read_bytes())
    rollback.live(session, context(session), confirm=None)
    assert "rolled back: server1 plaintext" in capsys.readouterr().out
    assert progress_of(session.state).is_rolled_back
    assert {""} == {host.lock for host in world.hosts.values()}


def test_a_half_done_registry_is_put_right_only_with_a_yes_of_its_own(
    session: Session, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    http, https = "http://198.18.0.102:2380", "https://198.18.0.102:2380"
    world.registry[world.hosts["server2"].id]["peers"] = [https]
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(RefusedError, match="To have that put right first: --repair"):
        run.live(session, context(session), RunOptions(), confirm=None)
    with pytest.raises(RefusedError, match="you said no"):
        run.live(session, context(session), RunOptions(), confirm=refuse)
    assert [f"server2: registered with {https}, and listens for {http}. Put that right first?"] == asked
    assert [] == world.performed
    review = capsys.readouterr().out
    assert (
        f"REPAIR: server2: registered with {https}, and listens for {http}; put right in the round" in review
    )

    run.live(session, context(session), RunOptions(repair=True), confirm=None)
    assert progress_of(session.state).is_finished


def test_a_phase_that_comes_too_early_fails_at_once(session: Session, world: World) -> None:
    with StateFile(session.state) as event_log:
        call = Call(session, context(session), event_log)
        for phase in (before.accept_risk, changing.write_header, changing.look_again, changing.walk):
            with pytest.raises((AttributeError, ValueError)):
                follow((phase,), call)
    assert [] == world.performed
