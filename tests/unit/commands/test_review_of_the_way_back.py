"""The review of a run that has begun, and of the way back: what is left, from where the hosts stand."""

import json
import re
from pathlib import Path

import pytest
from engine.world import World, make_cluster
from support.fake_sessions import context, session_on

from orchestrator.commands import rollback, run
from orchestrator.commands.phases.call import RunOptions, Shape
from orchestrator.session import Session

LISTEN = "ETCD_LISTEN_CLIENT_URLS"


@pytest.fixture
def switched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session whose run stands in 'switched'."""
    world = World(make_cluster(tmp_path))
    session = session_on(tmp_path, world, monkeypatch)
    run.live(session, context(session), RunOptions(until="switched"), confirm=None)
    return session


def changes(review: dict[str, list[dict[str, object]]], host: str, name: str) -> list[object]:
    found = (one for one in review["settings"] if (one["host"], one["name"]) == (host, name))
    return [one["changes"] for one in found]


def test_the_way_back_shows_each_setting_from_what_runs_to_what_was_there(
    switched: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert rollback.dry(switched, context(switched), Shape(format="json"))
    review = json.loads(capsys.readouterr().out)
    local = ",http://127.0.0.1:4001"
    assert "back" == review["direction"]
    assert [
        [
            {
                "round": "undo-switch",
                "old": f"https://0.0.0.0:2379{local}",
                "new": f"http://0.0.0.0:2379{local}",
            },
            {"round": "undo-accept", "old": f"http://0.0.0.0:2379{local}", "new": "http://0.0.0.0:2379"},
        ]
    ] == changes(review, "server1", LISTEN)
    assert "server1, server2, server3: speaks http, as it always did (plaintext)." in review["at_the_end"]
    removed = [
        operation["diff"]
        for one in review["rounds"]
        for job in one["jobs"]
        for operation in job["operations"]
        if operation["line"].startswith("remove ") and operation["line"].endswith("40-tls.conf")
    ]
    assert 3 == len(removed)
    assert all(f'- Environment="{LISTEN}=https://0.0.0.0:2379{local}"' in lines for lines in removed)


def test_what_was_measured_so_far_tells_how_long_the_rest_takes(
    switched: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run.dry(switched, context(switched), Shape())
    printed = capsys.readouterr().out
    assert re.search(r"3 steps left, and those so far \(15\) took \d+\.\d s each", printed), printed
    assert "Round seal: switched -> sealed" in printed
    assert "Round switch:" not in printed
    assert "Restarts          none" in printed
    assert "A restart ends the connections" not in printed


def test_before_the_first_step_nobody_knows_how_long_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = session_on(tmp_path, World(make_cluster(tmp_path)), monkeypatch)
    run.dry(session, context(session), Shape())
    printed = capsys.readouterr().out
    assert (
        f"not known before it was tried: {session.command('rehearse').partition(' --state')[0]} " in printed
    )
    assert "about" not in printed.partition("Settings of etcd")[0].replace("about what", "")


def test_the_way_back_can_be_gone_by_hand_too(switched: Session, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert rollback.dry(switched, context(switched), Shape(format="markdown", by_hand=True))
    printed = capsys.readouterr().out
    by_hand = printed.partition("# The same by hand")[2]
    for round_ in ("undo-switch", "undo-bridge", "undo-accept", "undo-prove", "undo-stage"):
        assert f"## By hand: round {round_}" in by_hand
    assert "rm -f -- /etc/systemd/system/etcd2.service.d/40-tls.conf\n" in by_hand
    assert "snapshot save" not in by_hand  # a backup is of the way there
