"""What a state file tells: processes, attempts and their ends, and every second of it accounted for."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from support.reported import BEGAN, PAUSE, material, walked

from orchestrator.engine.events import (
    Recorded,
    Recovered,
    RunBegan,
    RunEnded,
    Span,
    StepFailed,
    StepStarted,
    StepSucceeded,
    Walked,
)
from orchestrator.engine.progress import Progress
from orchestrator.report.html import ledger, track, verdict
from orchestrator.report.html.scale import GAP, stretches
from orchestrator.report.html.seconds import LAST, parts
from orchestrator.report.html.story import Process, Story, tell
from orchestrator.report.html.wording import duration, listed

Events = tuple[Recorded, ...]


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Events:
    return walked(tmp_path_factory.mktemp("plan"))[2]


@pytest.fixture(scope="module")
def story(events: Events) -> Story:
    return tell(events)


def without_spans(events: Iterable[Recorded]) -> Events:
    return tuple(
        event.model_copy(update={"spans": ()}) if isinstance(event, Walked) else event for event in events
    )


def until_started(events: Events, step: str) -> Events:
    """The events up to the beginning of a step, as if its process had died in it."""
    index = next(n for n, event in enumerate(events) if isinstance(event, StepStarted) and event.step == step)
    return events[: index + 1]


def failed(events: Events, step: str) -> Events:
    before = until_started(events, step)
    at = before[-1].at + timedelta(seconds=3)
    host = step.partition("/")[2]
    ending = RunEnded(at=at, outcome="stopped", reason=f"{step}: no; the cluster is healthy")
    return (*before, StepFailed(at=at, step=step, host=host, reason="no"), ending)


def said(events: Events, *, is_in_use: bool = False) -> verdict.Verdict:
    made = material(events)
    tracks = {host: [state.name for state in made.migration.track("member")] for host in made.story.hosts}
    return verdict.verdict(made.story, Progress.of(events), tracks, {}, is_in_use=is_in_use)


def test_each_process_is_told_with_its_end(story: Story) -> None:
    told = [(process.outcome, process.run and process.run.is_resumed) for process in story.processes]
    assert [("paused", False), ("finished", True)] == told
    assert BEGAN == story.processes[0].began
    assert PAUSE == story.processes[1].began - story.processes[0].ended
    assert [3600.0] == list(ledger.pauses(story))


def test_each_attempt_is_a_bar_with_its_end(events: Events) -> None:
    bars = tell(events).processes[0].bars
    assert {"succeeded"} == {bar.ending for bar in bars}
    assert [f"{name}/server1" for name in ("stage", "prove", "accept")] == [
        bar.step for bar in bars if bar.host == "server1"
    ]
    dead = tell(until_started(events, "prove/server2")).processes[0].bars[-1]
    assert ("prove/server2", "in doubt") == (dead.step, dead.ending)
    stopped = tell(failed(events, "prove/server2")).processes[0].bars[-1]
    assert ("failed", "no", 3.0) == (
        stopped.ending,
        stopped.reason,
        (stopped.ended - stopped.began).total_seconds(),
    )


def test_a_step_that_was_found_done_is_a_mark_and_not_an_attempt(events: Events) -> None:
    before = until_started(events, "prove/server2")
    at, digest = before[-1].at, "cd" * 32
    rest = (
        RunBegan(at=at, pid=8, host="bastion", user="anna", runbook=digest, is_resumed=True),
        StepSucceeded(
            at=at, step="prove/server2", host="server2", target="proven", took_s=1.0, is_adopted=True
        ),
    )
    bars = tell((*before, *rest)).processes[1].bars
    assert [("prove/server2", "found done", 0)] == [(bar.step, bar.ending, bar.attempt) for bar in bars]


def test_what_the_hosts_have_retold_has_no_times(events: Events) -> None:
    retold = (events[0], Recovered(at=BEGAN + timedelta(days=2)), *events[2:])
    assert tell(retold).retold
    assert BEGAN + timedelta(days=1) > tell(retold).ended


def test_a_file_without_a_header_is_no_story(events: Events) -> None:
    for none in ((), events[1:]):
        with pytest.raises(ValueError, match="no header"):
            tell(none)


def test_every_second_of_a_process_is_in_one_part(story: Story) -> None:
    for process in story.processes:
        assert process.took_s == pytest.approx(sum(part.took_s for part in parts(process)))
        offsets = [part.offset_s for part in parts(process)]
        assert sorted(offsets) == offsets
    first, second = map(parts, story.processes)
    assert ["backup and locks", "first look", "stage", "prove", "accept", LAST] == [p.name for p in first]
    assert ["first look", "bridge", "switch", "seal", LAST] == [p.name for p in second]


def test_jobs_come_before_waits_and_the_rest_was_looking(story: Story, events: Events) -> None:
    (stage,) = [part for part in parts(story.processes[0]) if part.name == "stage"]
    assert {"job": 1.5, "look": 10.5} == stage.spent
    (waited,) = [part for part in parts(story.processes[1]) if "wait" in part.spent]
    assert ("switch", 0.5) == (waited.name, waited.spent["wait"])

    (stage,) = [part for part in parts(tell(without_spans(events)).processes[0]) if part.name == "stage"]
    assert {"step": 6.0, "look": 6.0} == stage.spent


def test_spans_of_steps_at_once_are_not_counted_twice(events: Events) -> None:
    at = BEGAN + timedelta(seconds=60)
    spans = [Span(kind="job", at=at, took_s=4.0, host=f"server{n}") for n in (1, 2, 3)]
    ending = RunEnded(at=at + timedelta(seconds=6), outcome="stopped", spans=tuple(spans))
    began = events[2].model_copy(update={"at": at})
    process = Process((began, ending), None)
    assert {"job": 4.0, "look": 2.0} == parts(process)[0].spent


def test_a_clock_that_was_set_back_takes_no_time_away(events: Events) -> None:
    back = tuple(
        event.model_copy(update={"at": event.at - timedelta(hours=5)}) if 10 < n < 20 else event
        for n, event in enumerate(events)
    )
    for process in tell(back).processes:
        assert all(part.took_s >= 0 for part in parts(process))
        assert all(bar.ended >= bar.began for bar in process.bars)
        assert process.took_s >= 0


def test_processes_stand_side_by_side_however_long_the_pause_was(story: Story) -> None:
    first, second = stretches(story.processes, 100.0, 800.0)
    assert 100.0 == first.left
    assert pytest.approx(900.0) == second.right
    assert pytest.approx(GAP) == second.left - first.right
    widths = [one.right - one.left for one in (first, second)]
    assert (widths[0] > widths[1]) == (first.process.took_s > second.process.took_s)
    assert first.left == first.x(BEGAN - timedelta(hours=1))
    many = stretches(story.processes * 40, 100.0, 800.0)
    assert pytest.approx(900.0) == many[-1].right
    assert all(one.left < one.right for one in many)


@pytest.mark.parametrize(
    ("outcome", "word", "tone"),
    [
        ("finished", "finished", "good"),
        ("paused", "paused", "waiting"),
        ("interrupted", "interrupted", "waiting"),
    ],
)
def test_the_verdict_is_the_ending_s(events: Events, outcome: str, word: str, tone: str) -> None:
    ends = {"finished": events, "paused": next(upto(events, "paused"))}
    dead = until_started(events, "prove/server2")
    ends["interrupted"] = (*dead, RunEnded(at=dead[-1].at, outcome="interrupted", reason="as asked"))
    found = said(ends[outcome])
    assert (word, tone) == (found.word, found.tone)


def upto(events: Events, outcome: str) -> Iterator[Events]:
    for n, event in enumerate(events):
        if isinstance(event, RunEnded) and event.outcome == outcome:
            yield events[: n + 1]


def test_a_run_that_stopped_or_broke_off_is_told_with_how_far_it_came(events: Events) -> None:
    stopped = said(failed(events, "prove/server2"))
    assert ("bad", "Stopped in the round prove: 3 of 18 steps are done.") == (stopped.tone, stopped.sentence)
    assert "the cluster is healthy" in stopped.detail
    dead = until_started(events, "prove/server2")
    assert "broken off" == said(dead).word
    assert "under way" == said(dead, is_in_use=True).word
    assert "not begun" == said(events[:2]).word


def test_a_way_back_is_drawn_from_where_all_have_come_back() -> None:
    states = [("plaintext", "stage"), ("staged", "prove"), ("proven", "")]
    now = {"a": "staged", "b": "plaintext"}
    reached = {"a": {"plaintext", "staged", "proven"}, "b": {"plaintext", "proven"}}
    first, second, third = track.places(states, now, reached)
    assert [("b",), ("a",), ()] == [place.hosts for place in (first, second, third)]
    assert [False, True, False] == [place.is_undone for place in (first, second, third)]
    assert [True, True, False] == [place.is_left for place in (first, second, third)]
    assert third.is_reached


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.00 s"),
        (9.994, "9.99 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 0 s"),
        (3599.7, "1 h 0 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, said: str) -> None:
    assert said == duration(seconds)


def test_names_are_listed_as_people_do() -> None:
    assert ["nobody", "a", "a and b", "a, b and c"] == [
        listed(names) for names in ((), ("a",), ("a", "b"), ("a", "b", "c"))
    ]


def test_a_pause_is_as_long_as_nobody_worked(story: Story) -> None:
    first, second = ledger.ledgers(story)
    assert (0.0, 3600.0) == (first.paused_s, second.paused_s)
    assert first.is_divided
    old = ledger.ledgers(replace(story, processes=(Process(without_spans(story.processes[0].events), None),)))
    assert not old[0].is_divided
