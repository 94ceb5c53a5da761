"""Off a terminal: a line for each change, and a sign of life. Nothing in it can hold a run up."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engine.walking import begin
from engine.world import World, make_cluster

from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Event, StepStarted, StepSucceeded, Waiting
from orchestrator.engine.run import run
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.remote.executor import LiveExecutor
from orchestrator.report.live import Live
from orchestrator.report.view import View
from orchestrator.runbook.compile import compile_forward

BRIDGE = MIGRATIONS["bridge"]
AT = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)


def told(folder: Path) -> tuple[View, list[Event]]:
    """A run as it is before its first step, and what happens then."""
    cluster = make_cluster(folder)
    world, event_log, heard = World(cluster), MemoryEventLog(), list[Event]()
    facts = gather(cluster, world.look)
    runbook = compile_forward(cluster, facts, BRIDGE)
    begin(event_log, runbook, facts)
    view = View.of(event_log.events, cluster, BRIDGE.of(cluster))
    assert view is not None
    run(runbook, LiveExecutor(world), event_log, RunContext(cluster.patience, narrate=heard.append))
    return view, [event for event in heard if not isinstance(event, Waiting)]


def test_silence_is_broken_by_what_is_under_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view, events = told(tmp_path)
    now = [AT]
    events = [event.model_copy(update={"at": AT}) for event in events]
    first = next(number for number, event in enumerate(events) if isinstance(event, StepStarted))
    for event in events[:first]:
        view = view.after(event)
    live = Live(lambda: view.after(events[first]), clock=lambda: now[0])
    with live.showing() as take:
        take(events[first])
        now[0] = AT + timedelta(seconds=29)
        time.sleep(1.2)  # it looks twice a second
        assert 1 == capsys.readouterr().err.count("\n")
        now[0] = AT + timedelta(seconds=31)
        time.sleep(1.2)
    said = capsys.readouterr().err
    assert 1 == said.count("\n"), "one in 30 s"
    assert " step 1 of 18: stage/server1 is under way for 31 s; server1 is being changed, then its " in said


def test_the_same_reasons_are_no_news(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view, _ = told(tmp_path)
    with Live(lambda: view).showing() as take:
        for seconds in (2, 3):
            take(Waiting(reasons=(f"server1: quiet: spoken to {seconds} s ago",)))
        take(Waiting(reasons=("server2: quiet: spoken to 3 s ago",)))
    assert 2 == capsys.readouterr().err.count(" waiting for: server")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is the very case
def test_what_is_wrong_here_does_not_stop_a_run(tmp_path: Path) -> None:
    view, events = told(tmp_path)
    impossible = next(event for event in events if isinstance(event, StepSucceeded))
    with Live(lambda: view).showing() as take:
        take(events[0])
        for _ in range(100):
            take(impossible)


def test_every_line_names_the_run_once_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view, events = told(tmp_path)
    pasts: list[View | None] = [None, view]
    with Live(lambda: pasts.pop(0)).showing() as take:
        take(Waiting(reasons=("the members differ",)))
        for event in (view.progress.began, *events):
            assert event is not None
            take(event)
    first, *lines = capsys.readouterr().err.splitlines()
    assert " waiting for: the members differ" == first[8:]
    assert len(lines) > 36
    assert {" ab12cd34 "} == {line[8:18] for line in lines}


def test_a_run_that_begins_after_the_first_wait_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view, events = told(tmp_path)
    pasts: list[View | None] = [None, view]
    with Live(lambda: pasts.pop(0)).showing() as take:
        take(Waiting(reasons=("the members differ",)))
        take(view.progress.began or events[0])
        take(events[0])
    said = capsys.readouterr().err
    assert " waiting for: the members differ\n" in said
    assert " run ab12cd34 begins: 18 steps to take" in said
    assert " round stage: server1, server2, server3 (all at once)\n" in said
