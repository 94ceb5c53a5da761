"""The report of a run: written by itself at every end, never in the way of a run, and without a key."""

import hashlib
import os
import re
import shutil
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from engine.walking import begin, context
from engine.world import World, make_cluster
from support.markup import read

from orchestrator.commands import check, filing, keeping, locks, recall, rollback
from orchestrator.commands import run as running
from orchestrator.commands.certs import make
from orchestrator.commands.phases.call import RunOptions
from orchestrator.engine.events import Event, StepSucceeded
from orchestrator.engine.run import run
from orchestrator.engine.state_file import StateFile
from orchestrator.engine.state_file import read as read_events
from orchestrator.errors import RefusedError, RunInterruptedError, UsageError
from orchestrator.host import lock
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.remote.executor import LiveExecutor
from orchestrator.report.html.certificates import Leaf, tree
from orchestrator.session import Session, unconnected

PART = "a-secret-of-{name}"
PLAN = """\
cluster: three-members
members:
  - {name: server1, address: 198.18.0.101}
  - {name: server2, address: 198.18.0.102}
  - {name: server3, address: 198.18.0.103}
ssh: {user: root, identity_file: id, known_hosts: known_hosts}
tls:
  ca: pki/ca.pem
  certificate: pki/{name}.pem
  key: pki/{name}-key.pem
  client_certificate: pki/client.pem
  client_key: pki/client-key.pem
  directory: /etc/etcd2
"""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session with fake hosts; what these cannot be asked is left out."""
    cluster = make_cluster(tmp_path)
    for member in cluster.members:
        secret = PART.format(name=member.name)
        member.key.write_text(f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n")
    world = World(cluster)
    monkeypatch.setattr(check, "passed", lambda one, _: (recall.read_facts(one), ()))
    monkeypatch.setattr(
        locks, "seen", lambda _, names: {name: lock.read(world.place(name).lock) for name in names}
    )
    for module, name in (
        (check, "undisputed"),
        (check, "returnable"),
        (keeping, "keep"),
        (keeping, "compare"),
    ):
        monkeypatch.setattr(module, name, lambda *_: "")
    plan = tmp_path / "plan.yaml"
    return Session(plan, tmp_path / "plan.yaml.state.jsonl", cluster, BRIDGE.of(cluster), (), world)


def walk(session: Session, until: str | None = None, *, resume: bool = False, stop: bool = False) -> None:
    pace = context(session.cluster)
    if stop:  # behind the first step
        heard: list[Event] = []
        pace = replace(
            pace,
            narrate=heard.append,
            should_stop=lambda: any(isinstance(event, StepSucceeded) for event in heard),
        )
    running.live(session, pace, RunOptions(resume=resume, until=until), confirm=None)


def said(path: Path) -> str:
    page = read(path.read_text())
    assert [] == page.faults
    return " ".join(" ".join(page.texts).split())


@pytest.fixture
def report(session: Session) -> Path:
    return session.state.with_name("plan.yaml.report.html")


def test_a_run_writes_its_report_by_itself_and_a_resumed_one_writes_it_anew(
    session: Session, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    walk(session, "accepting")
    assert f"report: {report}\n" in capsys.readouterr().out
    assert "Paused, as asked: 9 of 18 steps are done." in said(report)
    assert 0o600 == stat.S_IMODE(report.stat().st_mode)

    walk(session, resume=True)
    assert "Every host of three-members stands at the end." in said(report)
    assert hashlib.sha256(session.state.read_bytes()).hexdigest() in said(report)
    assert [report] == list(report.parent.glob("*report*"))

    rollback.live(session, context(session.cluster), confirm=None)
    assert "Every host of three-members stands where it began." in said(report)
    assert "The way back" in said(report)


def test_a_run_that_stops_or_is_interrupted_writes_its_report_too(session: Session, report: Path) -> None:
    with pytest.raises(RunInterruptedError):
        walk(session, stop=True)
    assert "Interrupted in the round stage: 3 of 18 steps are done." in said(report)

    world = session.hosts
    assert isinstance(world, World)
    walk(session, "proven", resume=True)
    world.hosts["server3"].never_starts = True
    with pytest.raises(Exception, match="accept/server3"):
        walk(session, resume=True)
    assert "Stopped in the round accept" in said(report)
    assert "accept/server3 failed: server3 stands between proven and accepting." in said(report)
    assert f"Go on with: {session.resume_command}" in said(report)


def broken(_: object) -> str:
    raise KeyError("a bug of ours")


@pytest.mark.parametrize("harm", ["directory", "bug", "unwritable"])
def test_nothing_about_a_report_stops_a_run(
    session: Session,
    report: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    harm: str,
) -> None:
    if harm == "directory":
        report.mkdir()
    elif harm == "bug":
        monkeypatch.setattr(filing, "write", broken)
    else:
        monkeypatch.setattr(filing, "default_report", lambda _: Path("/proc/1/nowhere/report.html"))
    walk(session)
    assert "done: server1 sealed" in capsys.readouterr().out.replace("\n", " ")
    walk(session)  # it says so once for each process
    assert re.search(
        r"warning: the report .* was not written: .*To write it later: .* report ", capsys.readouterr().err
    )


def test_what_stopped_a_run_is_still_what_is_raised_where_the_report_cannot_be_written(
    session: Session, report: Path
) -> None:
    report.mkdir()
    with pytest.raises(RunInterruptedError):
        walk(session, stop=True)


def test_without_a_run_there_is_nothing_to_report(session: Session, report: Path) -> None:
    with pytest.raises(UsageError, match="no run has begun"):
        filing.written(session, report)
    session.state.touch()
    with pytest.raises(RefusedError, match="no header"):
        filing.written(session, report)
    assert not report.exists()


def test_what_is_advised_where_a_state_file_cannot_be_read_runs_as_it_is_printed(
    session: Session, report: Path
) -> None:
    session.state.write_text("x\n")
    with pytest.raises(RefusedError) as refused:
        filing.written(session, report)
    assert str(refused.value).endswith(f"then: {session.command('recover')}")


@pytest.fixture
def staged(session: Session) -> Session:
    facts = recall.read_facts(session)
    there = recall.compile_there(session, facts)
    with StateFile(session.state) as event_log:
        begin(event_log, there, facts)
        run(there, LiveExecutor(session.hosts), event_log, context(session.cluster), until="staged")
    return session


def test_a_report_is_written_where_one_wants_it_and_over_nothing_but_a_report(
    staged: Session, tmp_path: Path
) -> None:
    out = tmp_path / "ticket.html"
    assert f"report: {out}" == filing.written(staged, out)
    assert "Paused, as asked" in said(out)
    assert f"report: {out}" == filing.written(staged, out)
    for wrong in (Path("/dev/null"), tmp_path, staged.state, staged.cluster.members[0].key):
        before = wrong.lstat()
        with pytest.raises(UsageError, match="stays as it is: name another one with --out"):
            filing.written(staged, wrong)
        assert os.path.samestat(before, wrong.lstat())
    with pytest.raises(RefusedError, match="cannot be written: No such file"):
        filing.written(staged, tmp_path / "nowhere" / "ticket.html")


def test_a_plan_that_was_changed_does_not_tell_what_was_changed(staged: Session, report: Path) -> None:
    ports = staged.cluster.ports.model_copy(update={"local": 4002})
    filing.written(replace(staged, cluster=staged.cluster.model_copy(update={"ports": ports})), report)
    assert "was changed since the run began, so it does not tell any more what the run changed" in said(
        report
    )
    assert "Restarts not known" in said(report)
    staged.cluster.members[0].key.unlink()
    filing.written(staged, report)
    assert "This cannot be shown" in said(report)


def test_a_state_file_under_its_lock_is_reported_as_under_way(staged: Session, report: Path) -> None:
    lines = staged.state.read_bytes().splitlines(keepends=True)
    staged.state.write_bytes(b"".join(lines[:-1]))
    with StateFile(staged.state):
        filing.written(staged, report)
    assert "A process was at work as this was written" in said(report)


RECORD = (
    '{"started_at":"%s","took_s":60,"attempts":1000,"failed":1,"longest_stall_s":0.5,'
    '"longest_stall_after_s":3,"reads":234,"failed_reads":0,"failed_at":[],"something":"else"}'
)


def test_records_of_clients_are_drawn_and_others_are_named(staged: Session, report: Path) -> None:
    filing.written(staged, report)
    assert "Availability" not in said(report)
    began = read_events(staged.state)[0][0].at
    (report.parent / "prober-members.json").write_text(RECORD % began.isoformat())
    (report.parent / "prober-odd.json").write_text("{}")
    filing.written(staged, report)
    assert "through all members 1,234 1 0.50 s" in said(report)
    assert "prober-odd.json is left out: it is no record of clients" in said(report)


def test_records_of_another_time_are_not_drawn(staged: Session, report: Path) -> None:
    (report.parent / "prober-members.json").write_text(RECORD % "2001-01-01T00:00:00+00:00")
    filing.written(staged, report)
    assert "Availability" not in said(report)


def shown(plan: Path) -> tuple[Leaf, ...]:
    authority, held, faults = filing._certificates(unconnected(plan, None))
    assert () == faults
    return tree(authority, held, datetime.now(UTC))


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    folder = tmp_path / "certs"
    folder.mkdir()
    path = folder / "plan.yaml"
    path.write_text(PLAN)
    make(path, renew=False, key_type="ec", days=365, ca_days=3650, sans=())
    return path


def test_certificates_are_a_tree_with_names_usages_and_expiry(plan: Path) -> None:
    found = shown(plan)
    assert [("three-members CA", 0), ("server1", 1), ("server2", 1), ("server3", 1), ("orchestrator", 1)] == [
        (leaf.subject, leaf.depth) for leaf in found
    ]
    assert ["signs certificates", "serverAuth, clientAuth"] == [leaf.usages for leaf in found[:2]]
    assert "198.18.0.101" in found[1].names
    assert "pki/server1.pem" == found[1].path
    assert "364 days left" == found[1].left
    assert {False} == {leaf.is_pressing for leaf in found}


def test_a_stranger_s_certificate_and_a_missing_one_are_shown_as_such(plan: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "plan.yaml").write_text(PLAN)
    make(other / "plan.yaml", renew=False, key_type="ec", days=10, ca_days=3650, sans=())
    shutil.copy(other / "pki/server2.pem", plan.parent / "pki/server2.pem")
    (plan.parent / "pki/server1.pem").unlink()
    found = shown(plan)
    assert [0, 1, 1, 0, 0] == [leaf.depth for leaf in found]
    by_path = {leaf.path: leaf for leaf in found}
    assert "cannot be read: No such file" in by_path["pki/server1.pem"].fault
    assert by_path["pki/server2.pem"].is_pressing


def test_a_key_is_never_shown(plan: Path, session: Session, report: Path) -> None:
    walk(session)
    for member in session.cluster.members:
        assert PART.format(name=member.name) in member.key.read_text()
        assert PART.format(name=member.name) not in report.read_text()

    key = (plan.parent / "pki/server1-key.pem").read_text()
    with (plan.parent / "pki/server1.pem").open("a") as certificate:
        certificate.write(key)
    (leaf,) = [leaf for leaf in shown(plan) if leaf.path == "pki/server1.pem"]
    assert "begins a private key" in leaf.fault
    assert key.splitlines()[1] not in str(leaf)
