"""What takes time between two events is noted with the next one; files without that are read as before."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine.events import (
    RECORDED,
    RunEnded,
    Span,
    StepStarted,
    StepSucceeded,
    Waiting,
    Walked,
)
from orchestrator.engine.spans import Spans
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import StoppedError
from orchestrator.etcd.gather import gather
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.plan.model import Patience
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_forward

ENDED = RunEnded(at=datetime(2026, 1, 1, tzinfo=UTC), outcome="finished")


def ticking() -> Callable[[], float]:
    """A clock that goes on by a second whenever it is asked."""
    times = iter(range(1000))
    return lambda: float(next(times))


def test_a_wait_is_noted_with_its_first_moment_and_its_last_reasons() -> None:
    heard: list[Waiting] = []
    spans = Spans(ticking(), heard.append)
    with spans.wait("outside", "server1") as report:
        report(("first",))
        report(("second",))
        report(("last",))
    assert ["first", "second", "last"] == [reason for event in heard for reason in event.reasons]

    (span,) = spans.noted(ENDED).spans
    assert Span(kind="outside", at=heard[0].at, took_s=3.0, host="server1", reasons=("last",)) == span
    assert () == spans.noted(ENDED).spans


def test_a_wait_of_which_nothing_was_told_is_none_and_a_failed_job_is_one() -> None:
    spans = Spans(ticking(), lambda _: None)
    with spans.wait("gates"):
        pass
    assert ENDED is spans.noted(ENDED)

    with pytest.raises(TimeoutError), spans.job("server2"):
        raise TimeoutError
    (span,) = spans.noted(ENDED).spans
    assert ("job", "server2", 1.0) == (span.kind, span.host, span.took_s)


def test_a_wait_keeps_a_bounded_part_of_what_it_was_told() -> None:
    spans = Spans(ticking(), lambda _: None)
    with spans.wait("gates") as report:
        report(("x" * 10_000,) * 1000)
    (span,) = spans.noted(ENDED).spans
    assert {500} == {len(reason) for reason in span.reasons}
    assert 20 == len(span.reasons)


def test_events_without_spans_are_written_and_read_as_they_always_were() -> None:
    line = '{"at":"2026-01-01T00:00:00Z","event":"run_ended","outcome":"finished","reason":""}'
    assert line == ENDED.model_dump_json()
    assert ENDED == RECORDED.validate_json(line)


def test_events_with_spans_are_read_back_as_they_were_written() -> None:
    spans = (Span(kind="members", at=ENDED.at, took_s=1.5, reasons=("server2: healthy: no",)),)
    event = ENDED.model_copy(update={"spans": spans})
    assert event == RECORDED.validate_json(event.model_dump_json())


def test_a_walk_notes_each_job_with_its_host_and_what_a_slow_start_was_waited_for(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path).model_copy(update={"patience": Patience(gate_s=5.0, pause_s=0.0)})
    world = World(cluster)
    world.hosts["server1"].start_takes_looks = 2
    event_log = MemoryEventLog()
    run(compiled(cluster, world), LiveExecutor(world), event_log, context(cluster), until="accepting")

    started = {event.step for event in event_log.events if isinstance(event, StepStarted)}
    jobs = {
        event.step: [span.host for span in event.spans if span.kind == "job"]
        for event in event_log.events
        if isinstance(event, StepSucceeded)
    }
    assert {step: [step.partition("/")[2]] for step in started} == jobs
    waits = [
        (event.event, span.kind, span.host)
        for event in event_log.events
        if isinstance(event, Walked)
        for span in event.spans
        if span.kind != "job"
    ]
    assert [("step_succeeded", "gates", "server1")] == waits


@pytest.mark.parametrize("insists", [True, False])
def test_who_is_cut_off_is_noted_with_the_round_that_does_it(tmp_path: Path, *, insists: bool) -> None:
    cluster = make_cluster(tmp_path)
    world, event_log = World(cluster), MemoryEventLog()
    facts = gather(cluster, world.look).model_copy(update={"overlaps": True})
    world.speaking_http = {"203.0.113.7"}
    insisting = replace(context(cluster), insist=lambda _: insists, waits=False)
    with nullcontext() if insists else pytest.raises(StoppedError):
        run(compile_forward(cluster, facts, BRIDGE), LiveExecutor(world), event_log, insisting)
    noted = [
        (event.event, "203.0.113.7" in span.reasons[0])
        for event in event_log.events
        if isinstance(event, Walked)
        for span in event.spans
        if span.kind == "cut-off"
    ]
    assert noted == ([("round_began", True)] if insists else [])
