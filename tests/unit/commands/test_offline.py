"""A review that touches no host: it is of the plan alone, and says what it assumes and where that matters."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from engine.world import World, make_cluster
from support.fake_sessions import context, session_on

from orchestrator.commands import run
from orchestrator.commands.phases.call import RunOptions, Shape
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answers, Question
from orchestrator.plan.model import Clients
from orchestrator.plan.sections import ClientFile, ClientUnit
from orchestrator.session import Session


class Untouchable:
    """Hosts that must not be asked."""

    def look(self, questions: Iterable[Question]) -> Answers:
        raise AssertionError(list(questions))

    def perform(self, job: Job) -> JobResult:
        raise AssertionError(job)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(make_cluster(tmp_path, proxies=1))


@pytest.fixture
def session(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Session:
    return session_on(tmp_path, world, monkeypatch)


def reviewed(session: Session, capsys: pytest.CaptureFixture[str], shape: Shape) -> str:
    capsys.readouterr()
    assert run.dry(replace(session, hosts=Untouchable()), context(session), shape)
    return capsys.readouterr().out


def test_no_host_is_touched_and_what_is_assumed_is_named(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = reviewed(session, capsys, Shape(is_offline=True))
    assert printed.splitlines()[2].startswith("ASSUMED: nobody has looked at the hosts: ")
    assert f" plan {session.plan} " in printed.splitlines()[2]
    assert "Settings of etcd, from what is assumed to run now" in printed
    assert "away for" not in printed  # nobody has measured it
    lines = printed.splitlines()
    assumed = {line.strip().removesuffix("  (assumed)") for line in lines if line.endswith("  (assumed)")}
    known = {
        line.strip() for line in lines if line.startswith("       ") and not line.endswith("  (assumed)")
    }
    # the ID and the service's user are known of the hosts alone, what a plan says is not assumed
    assert any("member update '<ID of server1>'" in line for line in assumed)
    assert any("server1-key.pem (0600 etcd:etcd" in line for line in assumed)
    assert any("write /etc/etcd2/server1.pem (0644 root:root" in line for line in known)
    assert "run systemctl daemon-reload" in known


def test_the_same_rounds_come_in_the_same_order_as_on_the_hosts(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    shape = Shape(format="json", is_offline=True)
    guessed = json.loads(reviewed(session, capsys, shape))
    run.dry(session, context(session), Shape(format="json"))
    real = json.loads(capsys.readouterr().out)
    for one in (guessed, real):
        assert one["rounds"]
    steps = [
        [(one["name"], sorted({job["step"] for job in one["jobs"]})) for one in review["rounds"]]
        for review in (guessed, real)
    ]
    assert steps[0] == steps[1]
    assert any(job["hands_over_to"] for one in guessed["rounds"] for job in one["jobs"])
    assert [] == real["assumed"]


def test_of_a_run_that_has_begun_the_state_file_says_where_the_hosts_stand(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    run.live(session, context(session), RunOptions(until="accepting"), confirm=None)
    printed = reviewed(session, capsys, Shape(is_offline=True))
    assert "They stand where the state file says." in printed
    assert "Round bridge: accepting -> bridged" in printed
    assert "Round stage:" not in printed
    assert "(assumed)" not in printed


def test_files_of_theirs_that_nobody_has_seen_are_left_out_and_named(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = tmp_path / "new.yml"
    content.write_text("new\n")
    files = (ClientFile(path="/etc/patroni/config.yml", content=content),)
    clients = Clients(units=(ClientUnit(unit="patroni", files=files),))
    moved = replace(session, cluster=session.cluster.model_copy(update={"clients": clients}))
    printed = reviewed(moved, capsys, Shape(is_offline=True))
    assert "ASSUMED: files of yours that are edited or replaced are not known, and left out." in printed
    assert "move-clients" not in printed
