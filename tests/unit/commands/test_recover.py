"""A lost state file is written anew from what hosts remember: which run, what of it, and when not."""

import base64
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engine.walking import RUN, header
from engine.world import World, make_cluster

from orchestrator.commands.recall import compile_there
from orchestrator.commands.recover import recover, refuse_forgotten
from orchestrator.engine.events import Opened
from orchestrator.engine.state_file import StateFile
from orchestrator.errors import RefusedError, UsageError
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answer, Answers, Question
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.session import Session

BEGAN = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)


class Hosts:
    """Hosts that remember runs; their locks are always free."""

    def __init__(self) -> None:
        self.reported: dict[str, str] = {}

    def remember(self, host: str, opened: Opened, *jobs: str) -> None:
        text = base64.b64encode(opened.model_dump_json().encode()).decode()
        lines = [f"run {opened.run}", f"header {text}", *(f"job {opened.run}-{job}" for job in jobs)]
        self.reported[host] = self.reported.get(host, "") + "\n".join(lines) + "\n"

    def look(self, questions: Iterable[Question]) -> Answers:
        return {question: Answer(0, self.reported.get(question.host, "")) for question in questions}

    def perform(self, job: Job) -> JobResult:
        return JobResult(0, "taken\n" if job.id.startswith("lock") else "released\n")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    cluster = make_cluster(tmp_path)
    return Session(tmp_path / "plan.yaml", tmp_path / "state", cluster, BRIDGE, (), Hosts())


def opened(session: Session, run: str = RUN, days_later: int = 0, cluster: str = "three-members") -> Opened:
    facts = gather(session.cluster, World(session.cluster).look)
    began = BEGAN + timedelta(days=days_later)
    first = header(facts, compile_there(session, facts))
    return first.model_copy(update={"run": run, "at": began, "cluster": cluster})


def hosts_of(session: Session) -> Hosts:
    assert isinstance(session.hosts, Hosts)
    return session.hosts


def test_the_newest_run_is_written_anew_and_each_last_step_is_in_doubt(session: Session) -> None:
    hosts = hosts_of(session)
    for number in (1, 2, 3):
        hosts.remember(f"server{number}", opened(session, "0123abcd"), f"stage-server{number}-1")
        hosts.remember(
            f"server{number}", opened(session, days_later=1), *(["stage-server1-1"] if number == 1 else [])
        )

    with pytest.raises(
        RefusedError, match=r"run ab12cd34 began here at 2026-11-21 10:30 UTC .*stage/server1.* recover"
    ):
        refuse_forgotten(session)
    reported = recover(session)
    assert "run ab12cd34, the last steps are stage/server1" in reported
    assert "back, 1 steps:" in reported
    with StateFile(session.state) as event_log:
        assert RUN == (event_log.progress.opened.run if event_log.progress.opened else "")
        assert event_log.progress.saved is not None
        assert {"server1": "stage/server1"} == {
            host: doubt.step for host, doubt in event_log.progress.unsettled.items()
        }
    assert 0o600 == session.state.stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("cluster", "jobs"),
    [
        ("three-members", ()),  # refused, or cut off, before its first step
        ("three-members", ("stage-server1-1", "undo-stage-server1-1")),  # rolled back
        ("another", ("stage-server1-1",)),
    ],
)
def test_a_run_that_is_over_or_not_ours_stops_nothing(
    session: Session, cluster: str, jobs: tuple[str, ...]
) -> None:
    hosts_of(session).remember("server1", opened(session, cluster=cluster), *jobs)
    refuse_forgotten(session)
    with pytest.raises(RefusedError, match="no host remembers a run of three-members"):
        recover(session)
    assert not session.state.exists()


def test_a_state_file_that_is_there_is_not_touched(session: Session) -> None:
    hosts_of(session).remember("server1", opened(session), "stage-server1-1")
    session.state.write_text("{}\n")
    with pytest.raises(UsageError, match=r"is there, and was not touched: go on with .*--resume"):
        recover(session)
    assert "{}\n" == session.state.read_text()


def test_a_plan_that_was_changed_since_is_refused(session: Session) -> None:
    other = opened(session).model_copy(update={"runbook": "0" * 64})
    hosts_of(session).remember("server1", other, "stage-server1-1")
    with pytest.raises(RefusedError, match="was changed since the run began"):
        recover(session)
    assert not session.state.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run ab12cd34\nheader !!\n", "server2: what it remembers cannot be read"),
        ("run ab12cd34\nheader e30=\n", "server2: what it remembers cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_and_its_host_named(session: Session, text: str, words: str) -> None:
    hosts_of(session).reported["server2"] = text
    with pytest.raises(RefusedError, match=words):
        refuse_forgotten(session)


def test_a_header_that_lies_in_the_directory_of_another_run_is_refused(session: Session) -> None:
    hosts_of(session).remember("server2", opened(session), "stage-server2-1")
    hosts_of(session).reported["server2"] = (
        hosts_of(session).reported["server2"].replace(f"run {RUN}", "run 0123abcd")
    )
    with pytest.raises(RefusedError, match=r"server2: .*/0123abcd/header\.json there is of run ab12cd34"):
        refuse_forgotten(session)


def test_a_header_that_does_not_fit_is_reported_in_one_line_of_our_words(session: Session) -> None:
    strange = opened(session).model_copy(update={"tool": "\x1b[31m"})
    hosts_of(session).remember("server2", strange, "stage-server2-1")
    with pytest.raises(RefusedError) as caught:
        refuse_forgotten(session)
    assert str(caught.value).endswith(
        "server2: what it remembers cannot be read: /var/lib/orchestrator/ab12cd34/header.json there: "
        "tool: a setting holds characters that cannot be printed: '\\x1b[31m'"
    )


def test_a_job_that_no_step_has_is_refused(session: Session) -> None:
    hosts_of(session).remember("server1", opened(session), "paint-server1-1")
    with pytest.raises(
        RefusedError, match=r"no step of run ab12cd34 has such a job; was the plan's strategy"
    ):
        refuse_forgotten(session)


def test_a_run_that_was_rolled_back_is_history_whatever_hosts_the_plan_has_by_now(session: Session) -> None:
    hosts, old = hosts_of(session), opened(session)
    names = {"server1": ("stage-server1-1", "undo-stage-server1-1"), "server2": (), "server3": ()}
    for host, jobs in names.items():
        hosts.remember(host, old, *jobs)
    fewer = session.cluster.model_copy(update={"members": session.cluster.members[:2]})
    changed = replace(session, cluster=fewer)
    refuse_forgotten(session)
    refuse_forgotten(changed)

    hosts.remember("server2", old, "stage-server2-1")
    with pytest.raises(RefusedError, match="names the hosts server1, server2, and the run began with"):
        refuse_forgotten(changed)
