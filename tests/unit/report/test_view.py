"""What is shown of a run is what its events tell: events in, lines out."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engine.moving import begun
from engine.walking import begin, compiled, context, header
from engine.world import World, make_cluster

from orchestrator.engine.events import (
    Event,
    HandedOver,
    Recorded,
    RoundBegan,
    RunBegan,
    RunEnded,
    StepFailed,
    StepStarted,
    StepSucceeded,
    Waiting,
    Walked,
)
from orchestrator.engine.run import run
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import RefusedError
from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.output import plain
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import LiveExecutor
from orchestrator.report import board, sentences
from orchestrator.report.view import View
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook

BEGAN = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
BRIDGE = MIGRATIONS["bridge"]


def walked(cluster: Cluster, until: str | None = None, *, and_back: bool = False) -> list[Recorded]:
    """The events of a run, one second apart."""
    world, event_log = World(cluster), MemoryEventLog()
    facts = gather(cluster, world.look)
    process(cluster, world, event_log, compile_forward(cluster, facts, BRIDGE), until)
    if and_back:
        process(cluster, world, event_log, compile_backward(cluster, facts, BRIDGE))
    return [at_second(number, event) for number, event in enumerate(event_log.events)]


def process(
    cluster: Cluster, world: World, event_log: MemoryEventLog, runbook: Runbook, until: str | None = None
) -> None:
    """Begin or go on, as a new process does."""
    begin(event_log, runbook, gather(cluster, World(cluster).look))
    run(runbook, LiveExecutor(world), event_log, context(cluster), until=until)


def at_second(number: int, event: Recorded) -> Recorded:
    took = {"took_s": 4.2} if isinstance(event, StepSucceeded) else {}
    return event.model_copy(update={"at": BEGAN + timedelta(seconds=number), **took})


def until(events: Iterable[Recorded], step: str, kind: type[Recorded]) -> list[Recorded]:
    """The events up to that one of a step."""
    found: list[Recorded] = []
    for event in events:
        found.append(event)
        if isinstance(event, kind) and getattr(event, "step", "") == step:
            return found
    raise AssertionError(step)


def view_of(cluster: Cluster, events: Iterable[Recorded], *more: Event) -> View:
    view = View.of(list(events), cluster, BRIDGE.of(cluster))
    assert view is not None
    for event in more:
        view = view.after(event)
    return view


def shown(view: View, width: int = 79, height: int = 24, *, after_s: float = 3.0) -> tuple[str, ...]:
    at = (view.flight.at if view.flight else BEGAN) + timedelta(seconds=after_s)
    return board.lines(view, at, width, height, is_painted=False)


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return make_cluster(tmp_path)


def test_the_table_says_where_everybody_stands_and_what_is_under_way(cluster: Cluster) -> None:
    events = until(walked(cluster), "accept/server3", StepStarted)
    noted = [event.at for event in events if isinstance(event, Walked) and event.behind][-1]
    assert (
        "member   state      clients  peers  etcd",
        "server1  accepting  http     http   3.4.23",
        "server2  proven     http     http   3.4.23  leader",
        "server3  proven     http     http   3.4.23  accept, restarts",
        "step 8 of 18: accept/server3, 3 s so far, about 4 s expected; 21 s since the",
        "start",
        "quorum: 2 of 3 healthy, server3 restarts; can lose 0 more",
        f"raft: nobody behind (noted at {noted.astimezone():%H:%M:%S})",
        "server3 is being changed, then its gates are looked at",
        "if you go back now: 8 steps",
    ) == shown(view_of(cluster, events))


def test_nothing_is_expected_of_the_first_step_of_a_round(cluster: Cluster) -> None:
    events = until(walked(cluster), "accept/server1", StepStarted)
    assert "step 7 of 18: accept/server1, 3 s so far; 19 s since the start" in shown(view_of(cluster, events))


def test_what_is_waited_for_is_one_sentence_with_the_time(cluster: Cluster) -> None:
    events = until(walked(cluster), "accept/server1", StepStarted)
    since = Waiting(at=events[-1].at, reasons=("server1: healthy: no answer",))
    again = Waiting(at=events[-1].at + timedelta(seconds=2), reasons=("server1: serving http: refused", "b"))
    lines = shown(view_of(cluster, events, since, again), after_s=70)
    assert "waiting for 1 min 10 s: server1: serving http: refused (and 1 more)" in lines


def test_who_leads_is_who_was_seen_to_and_whoever_it_was_handed_to(cluster: Cluster) -> None:
    events = walked(cluster)
    assert "server2" == view_of(cluster, until(events, "accept/server1", StepStarted)).leader
    handing = view_of(cluster, until(events, "accept/server2", HandedOver))
    assert "server2 hands the leadership over to server1, then restarts" in shown(handing)
    assert "server1" == view_of(cluster, until(events, "accept/server2", StepStarted)).leader


def test_a_leader_that_restarts_without_a_handover_is_not_known_to_lead(cluster: Cluster) -> None:
    events = until(walked(cluster), "accept/server2", StepStarted)
    lonely = [event for event in events if not isinstance(event, HandedOver)]
    assert view_of(cluster, lonely).leader is None


def test_schemes_are_those_of_the_state_and_of_the_overlap(cluster: Cluster) -> None:
    events = until(walked(cluster), "switch/server3", StepStarted)
    assert "server2  switched  https    https  3.4.23" in shown(view_of(cluster, events))
    first, *rest = events
    facts = first.facts.model_copy(update={"overlaps": True})  # type: ignore[union-attr]
    overlapping = view_of(cluster, [first.model_copy(update={"facts": facts}), *rest])
    assert "server1  bridged   http+https  http   3.4.23  leader" in shown(overlapping)


def test_a_step_that_failed_leaves_its_member_away(cluster: Cluster) -> None:
    events = until(walked(cluster), "accept/server1", StepStarted)
    failed = StepFailed(step="accept/server1", host="server1", reason="no")
    lines = shown(view_of(cluster, events, failed, RunBegan(**again(events))))
    assert "server1  proven  http     http   3.4.23  accept/server1 failed" in lines
    assert "quorum: 2 of 3 healthy, server1 is not known to be back; can lose 0 more" in lines


def again(events: Iterable[Recorded]) -> dict[str, object]:
    began = next(event for event in events if isinstance(event, RunBegan))
    return {**began.model_dump(), "is_resumed": True}


def test_two_members_have_no_quorum_while_one_restarts(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path, members=2)
    events = until(walked(cluster), "accept/server1", StepStarted)
    assert "quorum: 1 of 2 healthy, server1 restarts: no quorum until then" in shown(view_of(cluster, events))


def test_while_a_step_waits_for_its_turn_nobody_claims_that_all_are_healthy(cluster: Cluster) -> None:
    events = until(walked(cluster), "accept/server1", StepSucceeded)
    view = view_of(cluster, events, Waiting(reasons=("server3: quorate: no answer",)))
    assert "quorum: 3 members, can lose 1 while all are healthy" in shown(view)


def test_the_way_back_counts_its_own_steps(cluster: Cluster) -> None:
    events = walked(cluster, "accepting", and_back=True)
    view = view_of(cluster, until(events, "undo-accept/server1", StepStarted))
    assert (9, "undo-accept/server1") == (view.total, view.flight.step if view.flight else "")
    numbers = [
        view_of(cluster, events[: number + 1]).number
        for number, event in enumerate(events)
        if isinstance(event, StepStarted) and event.step.startswith("undo-")
    ]
    assert list(range(1, 10)) == numbers


def test_on_the_way_there_every_step_has_its_number_once_over_all_processes(cluster: Cluster) -> None:
    world, event_log = World(cluster), MemoryEventLog()
    runbook = compiled(cluster, world)
    for goal in ("staged", "accepting", None):
        process(cluster, world, event_log, runbook, goal)
    numbers = [
        view_of(cluster, event_log.events[: number + 1]).number
        for number, event in enumerate(event_log.events)
        if isinstance(event, StepStarted)
    ]
    assert list(range(1, 19)) == numbers


def test_a_clock_that_was_set_back_makes_no_time_less_than_none(cluster: Cluster) -> None:
    *rest, end = walked(cluster)
    view = View.of([*rest, end.model_copy(update={"at": BEGAN - timedelta(hours=1)})], cluster, BRIDGE)
    assert view is not None
    assert sentences.summary(view).startswith("18 steps taken in 0 s, ")


def test_the_end_is_a_summary_on_one_screen(cluster: Cluster) -> None:
    lines = shown(view_of(cluster, walked(cluster)))
    assert "server3  sealed  https    https  3.4.23" in lines
    assert "18 steps taken in 45 s, 6 restarts, the longest stage/server1 with 4 s" in lines
    assert "if you go back now: 18 steps" == lines[-1]


@pytest.mark.parametrize("width", [39, 79, 199])
@pytest.mark.parametrize("height", [2, 5, 8, 24])
@pytest.mark.parametrize("members", [3, 9])
def test_it_never_is_larger_than_the_terminal(tmp_path: Path, width: int, height: int, members: int) -> None:
    cluster = make_cluster(tmp_path, members=members)
    events = until(walked(cluster, "accepting"), "accept/server3", StepStarted)
    noisy = Waiting(reasons=("server3: healthy: " + "what a host says may be long " * 30,))
    lines = shown(view_of(cluster, events, noisy), width, height)
    assert len(lines) < height or 1 == len(lines)
    assert max(map(len, lines)) <= width
    assert height < 24 or "if you go back now: " in lines[-1]


def test_where_not_all_members_have_room_whoever_is_under_way_is_shown(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path, members=9)
    events = until(walked(cluster, "accepting"), "accept/server7", StepStarted)
    lines = shown(view_of(cluster, events), height=11)
    assert any(line.startswith("server7 ") and "accept, restarts" in line for line in lines)
    assert any(line.startswith("... and ") for line in lines)


def test_a_host_cannot_steer_the_terminal(cluster: Cluster) -> None:
    events = until(walked(cluster), "accept/server1", StepStarted)
    lines = shown(view_of(cluster, events, Waiting(reasons=("server1: \x1b[2J[bold]x[/]\nb",))))
    assert any(r"server1: \x1b[2J[bold]x[/]\nb" in line for line in lines)


def test_colors_are_only_there_where_they_are_wanted(cluster: Cluster) -> None:
    view = view_of(cluster, until(walked(cluster), "switch/server3", StepStarted))
    painted = board.lines(view, BEGAN, 79, 24, is_painted=True)
    assert any("\x1b[32mhttps" in line for line in painted)
    assert not any("\x1b" in line for line in shown(view))


def test_a_file_of_another_plan_is_refused(tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "other").mkdir()
    guide = MIGRATIONS["guide"].of(make_cluster(tmp_path / "other"))
    with pytest.raises(RefusedError, match="a run of another plan"):
        View.of(walked(cluster), cluster, guide)


def test_a_change_is_one_line(cluster: Cluster) -> None:
    view, said = None, []
    events = walked(cluster, "accepting")
    for event in events:
        view = View.of([event], cluster, BRIDGE.of(cluster)) if view is None else view.after(event)
        assert view is not None
        said.append(plain(sentences.of_event(event, view)))
    assert "" == said[0]
    assert "run ab12cd34 begins: 18 steps to take, by anna@bastion, process 1" == said[1]
    assert "round stage: server1, server2, server3 (all at once)" == said[2]
    assert "step 1 of 18: stage/server1 (plaintext to staged)" == said[3]
    assert "step 2 of 18: stage/server2 (plaintext to staged)" == said[4]
    assert any(line.startswith("ok stage/server1 done in ") for line in said)
    assert "server2 hands the leadership over to server1" in said
    assert "step 9 of 18: accept/server2 (proven to accepting, restarts it)" in said
    ended = "paused: every member has reached accepting; 9 steps taken in 23 s, 3 restarts"
    assert f"{ended}, the longest stage/server1 with 4 s" == said[-1]


# fmt: off
TIMES = [(0, "0 s"), (0.42, "0.4 s"), (4.2, "4 s"), (59.7, "1 min"), (72, "1 min 12 s"),
         (3600, "1 h 0 min"), (7500, "2 h 5 min")]
# fmt: on


@pytest.mark.parametrize(("seconds", "expected"), TIMES)
def test_a_time_is_said_as_a_person_says_it(seconds: float, expected: str) -> None:
    assert expected == sentences.spoken(seconds)


def test_a_run_that_failed_says_so(cluster: Cluster) -> None:
    events = until(walked(cluster), "accept/server1", StepStarted)
    failed = StepFailed(step="accept/server1", host="server1", reason="it died")
    view = view_of(cluster, events, failed, RunEnded(at=BEGAN, outcome="stopped", reason="why"))
    assert "failed accept/server1: it died" == plain(sentences.of_event(failed, view))
    end = RunEnded(outcome="stopped", reason="why")
    assert plain(sentences.of_event(end, view)).startswith("stopped: why; 6 steps taken")
    assert isinstance(events[2], RoundBegan)


def test_a_host_of_clients_alone_has_a_row_and_serves_nobody(tmp_path: Path) -> None:
    walk = begun(tmp_path, elsewhere=("app1",), on=("app1",))
    walk.event_log.append(header(gather(walk.cluster, walk.world.look), walk.there))
    walk.go(walk.there)
    view = view_of(walk.cluster, walk.event_log.events)
    shown = board.lines(view, view.ended.at if view.ended else BEGAN, 79, 24, is_painted=False)
    assert ["app1", "calling-safely", "-", "-", "-"] in [line.split() for line in shown]
