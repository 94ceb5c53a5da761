"""A run that is bound to a review: it does what was reviewed without a question, or names what has moved."""

import hashlib
import json
import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from engine.world import World, make_cluster
from support.fake_sessions import context, session_on

from orchestrator.commands import approval, check, recall, rollback, run
from orchestrator.commands.phases.call import RunOptions, Shape
from orchestrator.engine.state_file import progress_of
from orchestrator.errors import RefusedError, UsageError
from orchestrator.session import Session


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(make_cluster(tmp_path))


@pytest.fixture
def session(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Session:
    return session_on(tmp_path, world, monkeypatch)


@pytest.fixture
def saved(tmp_path: Path, session: Session) -> Path:
    """A review that was written down, of hosts that nothing was done to."""
    path = tmp_path / "reviewed.json"
    assert run.dry(session, context(session), Shape(saved=path))
    return path


def go(session: Session, saved: Path, *, resume: bool = False, until: str | None = None) -> None:
    options = RunOptions(resume=resume, until=until, reviewed=saved)
    run.live(session, context(session), options, confirm=pytest.fail)


def refusal(session: Session, saved: Path) -> str:
    with pytest.raises(RefusedError) as refused:
        go(session, saved)
    assert 5 == refused.value.exit_code
    return str(refused.value)


def test_what_was_reviewed_is_done_without_a_question_and_its_summary_is_printed(
    session: Session, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.dry(session, context(session), Shape(saved=saved))
    assert f" run {session.plan} --reviewed {saved} --state {session.state}\n" in capsys.readouterr().out
    go(session, saved)
    printed = capsys.readouterr().out
    assert "Migration bridge of cluster three-members: 18 steps, 6 restarts." in printed
    assert "restarts server1: 1 of 3 away" in printed
    assert "Round stage" not in printed
    assert progress_of(session.state).is_finished


def test_the_file_is_for_its_owner_alone_and_holds_no_secret(session: Session, saved: Path) -> None:
    assert 0o600 == saved.stat().st_mode & 0o777
    text = saved.read_text()
    assert 1 == json.loads(text)["format"]
    assert "PRIVATE KEY" not in text
    assert str(session.cluster.members[0].key) in text  # where it lies, and its digest


@pytest.mark.parametrize("there", ["an approved review", "nothing", "a link to one"])
def test_it_may_be_written_again_and_into_what_is_empty(session: Session, saved: Path, there: str) -> None:
    first = approval.read(saved)
    given = saved.with_name("given.json")
    if there == "a link to one":
        given.symlink_to(saved.name)
    else:
        given.write_text(saved.read_text() if there == "an approved review" else "")
    run.dry(session, context(session), Shape(saved=given))
    assert first.at < approval.read(given).at
    assert (there == "a link to one") == given.is_symlink()


def test_it_is_never_written_over_another_file(session: Session, tmp_path: Path) -> None:
    for path in (session.cluster.members[0].key, session.cluster.tls.ca, Path("/dev/null"), tmp_path):
        before = path.lstat()
        with pytest.raises(UsageError, match="stays as it is: name another one with --out"):
            run.dry(session, context(session), Shape(saved=path))
        assert os.path.samestat(before, path.lstat())


def edit_plan(session: Session) -> Session:
    ports = session.cluster.ports.model_copy(update={"trial": 12999})
    return replace(session, cluster=session.cluster.model_copy(update={"ports": ports}))


def renew_certificate(session: Session) -> Session:
    member = session.cluster.members[1]
    member.certificate.write_text(member.certificate.read_text().replace("server2", "renewed"))
    return session


def renew_key(session: Session) -> Session:
    session.cluster.members[2].key.write_text("-----BEGIN PRIVATE KEY-----\nnew\n-----END PRIVATE KEY-----\n")
    return session


def change_host(session: Session) -> Session:
    assert isinstance(session.hosts, World)
    session.hosts.version = "3.5.1"
    return session


MOVES: dict[str, tuple[Callable[[Session], Session], str]] = {
    "a plan's field": (edit_plan, "plan: ports.trial: was 12380, is 12999"),
    "a certificate": (renew_certificate, "server2.pem: its content is another"),
    "a key": (renew_key, "server3-key.pem: its content is another"),
    "a host": (
        change_host,
        "host fact: members.server3.version: was 3.4.23, is 3.5.1",
    ),
}


@pytest.mark.parametrize(("move", "named"), MOVES.values(), ids=MOVES)
def test_what_has_moved_is_named_and_nothing_is_changed(
    session: Session, world: World, saved: Path, move: Callable[[Session], Session], named: str
) -> None:
    moved = move(session)
    found = deepcopy(world.snapshot())
    reason = refusal(moved, saved)
    assert named in reason
    assert reason.startswith(f"nothing was changed: what {saved} approves is not what is there now:\n")
    assert f"run {session.plan} --dry-run --out {saved}" in reason
    assert (found, []) == (world.snapshot(), world.performed)
    assert not session.state.exists() or not session.state.read_bytes()


def test_who_stands_somewhere_else_by_now_is_named(session: Session, saved: Path) -> None:
    run.live(session, context(session), RunOptions(until="staged"), confirm=None)
    with pytest.raises(RefusedError, match="host: server1 stood in its first state, and stands in staged"):
        go(session, saved, resume=True)
    assert run.dry(session, context(session), Shape(saved=saved))
    go(session, saved, resume=True)
    assert progress_of(session.state).is_finished


def test_a_review_behind_a_canary_approves_no_other_order(
    session: Session, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = saved.with_name("plain.json")
    plain.write_bytes(saved.read_bytes())
    run.dry(session, context(session), Shape(saved=saved), "server2")
    bound = f" run {session.plan} --reviewed {saved} --canary server2 --state {session.state}\n"
    assert bound in capsys.readouterr().out
    again = f"run {session.plan} --dry-run --out {saved} --state"
    assert "--canary: was server2, is not there" in (reason := refusal(session, saved))
    assert again in reason

    behind = RunOptions(reviewed=plain, canary="server3")
    with pytest.raises(RefusedError, match="--canary: was not there, is server3") as refused:
        run.live(session, context(session), behind, confirm=pytest.fail)
    assert f"run {session.plan} --dry-run --canary server3 --out {plain} --state" in str(refused.value)
    run.live(
        session, context(session), replace(behind, reviewed=saved, canary="server2"), confirm=pytest.fail
    )
    assert progress_of(session.state).is_finished


def test_a_review_of_a_version_that_said_less_is_as_it_was_written(session: Session, saved: Path) -> None:
    said = json.loads(saved.read_text())
    del said["canary"], said["digest"]
    text = json.dumps(said, sort_keys=True)
    said["digest"] = hashlib.sha256(text.encode()).hexdigest()
    saved.write_text(json.dumps(said))
    go(session, saved)
    assert progress_of(session.state).is_finished


def test_a_client_that_came_since_is_named(
    session: Session, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = "server1: 1 connection over plain http, which ends in the round 'switch': 198.18.0.9"
    monkeypatch.setattr(check, "passed", lambda one, _: (recall.read_facts(one), (seen,)))
    assert f"clients: {seen}" in refusal(session, saved)


def test_clients_that_have_gone_since_may_come_again(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "with-clients.json"
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(check, "passed", lambda one, _: (recall.read_facts(one), ("somebody",)))
        run.dry(session, context(session), Shape(saved=path))
    assert approval.read(path).facts.overlaps
    go(session, path, until="accepting")
    opened = progress_of(session.state).opened
    assert opened is not None
    assert opened.facts.overlaps


def test_a_review_of_the_way_there_approves_no_way_back_and_one_of_the_way_back_does(
    session: Session, saved: Path, tmp_path: Path
) -> None:
    go(session, saved, until="accepting")
    with pytest.raises(RefusedError, match="approves a run, and no rollback"):
        rollback.live(session, context(session), confirm=pytest.fail, reviewed=saved)
    back = tmp_path / "back.json"
    assert rollback.dry(session, context(session), Shape(saved=back))
    rollback.live(session, context(session), confirm=pytest.fail, reviewed=back)
    assert progress_of(session.state).is_rolled_back


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is no approved review of format 1"),
        ('{"format": 2}', "is no approved review of format 1"),
        ("", "is no approved review of format 1"),
    ],
)
def test_what_is_no_approved_review_is_refused(session: Session, saved: Path, text: str, reason: str) -> None:
    saved.write_text(text)
    assert reason in refusal(session, saved)


def test_one_that_was_edited_is_refused(session: Session, saved: Path) -> None:
    said = json.loads(saved.read_text())
    said["files"] = {}
    saved.write_text(json.dumps(said))
    assert "was edited since it was written" in refusal(session, saved)
    saved.unlink()
    assert "No such file or directory" in refusal(session, saved)


def test_where_nothing_is_to_be_done_nothing_is_written(session: Session, saved: Path) -> None:
    go(session, saved)
    saved.unlink()
    assert not run.dry(session, context(session), Shape(saved=saved))
    assert not saved.exists()
