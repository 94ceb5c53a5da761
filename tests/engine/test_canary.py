"""A canary takes each round first and is watched behind its first restart; each step may be asked for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Event, HandedOver, StepStarted, Waiting
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import PersonNeededError, RunInterruptedError, StoppedError
from orchestrator.plan.model import Patience
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.model import Step

SOAK_S = 600.0
CANARY = "server3"


def started(event_log: MemoryEventLog) -> list[str]:
    return [event.step for event in event_log.events if isinstance(event, StepStarted)]


@dataclass
class Scene:
    """A world with a clock of its own, which only sleep moves on."""

    world: World
    event_log: MemoryEventLog
    context: RunContext
    waits: list[str]
    now: list[float]

    def go(self, until: str | None = None) -> None:
        runbook = compiled(self.world.cluster, World(self.world.cluster))
        looks = count(step=2)  # no answer is fresh enough to be used again
        executor = LiveExecutor(self.world, clock=lambda: float(next(looks)))
        run(runbook, executor, self.event_log, self.context, until=until)


def scene(
    folder: Path, *, canary: str = CANARY, asleep: Callable[[World, float], None] | None = None
) -> Scene:
    patient = Patience(gate_s=0.0, pause_s=10.0)
    cluster = make_cluster(folder).model_copy(update={"patience": patient})
    world, waits, now = World(cluster), list[str](), [0.0]

    def sleep(pause_s: float) -> None:
        now[0] += pause_s
        if asleep:
            asleep(world, now[0])

    def narrate(event: Event) -> None:
        if isinstance(event, Waiting):
            waits.extend(event.reasons)

    told = replace(
        context(cluster), sleep=sleep, clock=lambda: now[0], narrate=narrate, canary=canary, soak_s=SOAK_S
    )
    return Scene(world, MemoryEventLog(), told, waits, now)


def test_the_canary_takes_each_round_first_and_is_watched_behind_its_first_restart(tmp_path: Path) -> None:
    seen = scene(tmp_path)
    seen.go()
    firsts = [step for step in started(seen.event_log) if step.endswith(CANARY)]
    by_round = {step.partition("/")[0]: step for step in reversed(started(seen.event_log))}
    assert "prove/server1" == by_round.pop("prove"), "which all take together, in the plan's order"
    assert set(firsts) - {"prove/server3"} == set(by_round.values())
    assert SOAK_S == seen.now[0], "it is watched once"
    assert "server3 is the canary: its gates hold, and are watched for 600 s more" == seen.waits[0]


def test_a_canary_that_leads_hands_the_leadership_over_first(tmp_path: Path) -> None:
    seen = scene(tmp_path, canary="server2")
    assert "server2" == seen.world.leader
    seen.go(until="accepting")
    steps = [step for step in started(seen.event_log) if step.startswith("accept/")]
    assert ["accept/server2", "accept/server3", "accept/server1"] == steps, "server1 leads now: it goes last"
    handed = [
        (event.host, event.successor) for event in seen.event_log.events if isinstance(event, HandedOver)
    ]
    assert ("server2", "server1") == handed[0]


def test_a_canary_whose_gates_fail_while_it_is_watched_stops_the_run(tmp_path: Path) -> None:
    def spoil(world: World, now_s: float) -> None:
        if now_s >= 100.0:
            world.place(CANARY).files.pop("/etc/etcd2/ca.pem", None)

    seen = scene(tmp_path, asleep=spoil)
    with pytest.raises(
        StoppedError, match=r"the canary server3 did not stay well after accept/server3: .*ca\.pem"
    ):
        seen.go()
    assert [f"accept/{CANARY}"] == [step for step in started(seen.event_log) if step.startswith("accept/")]
    assert {} == seen.event_log.progress.unsettled
    assert 100.0 <= seen.now[0] < 120.0


def test_a_canary_that_goes_down_while_it_is_watched_is_for_a_person(tmp_path: Path) -> None:
    def kill(world: World, _: float) -> None:
        world.place(CANARY).is_running = False

    seen = scene(tmp_path, asleep=kill)
    with pytest.raises(PersonNeededError, match="the canary server3 did not stay well"):
        seen.go()


def test_a_host_that_cannot_be_asked_for_a_moment_says_nothing_of_the_canary(tmp_path: Path) -> None:
    def away(world: World, now_s: float) -> None:
        world.away_looks = 1 if now_s == 100.0 else 0

    seen = scene(tmp_path, asleep=away)
    seen.go()
    assert seen.event_log.progress.is_finished


def test_a_run_that_is_left_while_the_canary_is_watched_watches_it_anew(tmp_path: Path) -> None:
    seen = scene(tmp_path)
    stopped = replace(seen.context, should_stop=lambda: seen.now[0] >= 100.0)
    whole, seen.context = seen.context, stopped
    with pytest.raises(RunInterruptedError, match="stopped before accept/server1, as asked"):
        seen.go()
    assert 100.0 == seen.now[0]
    seen.context = whole
    seen.go()
    assert 100.0 + SOAK_S == seen.now[0]
    assert seen.event_log.progress.is_finished


def test_each_step_is_asked_for_and_a_no_stops_before_it(tmp_path: Path) -> None:
    seen, asked = scene(tmp_path), list[str]()

    def permits(step: Step) -> bool:
        asked.append(step.id)
        return step.id != "accept/server1"

    seen.context = replace(seen.context, permits=permits, canary=None, soak_s=0.0)
    with pytest.raises(RunInterruptedError, match="stopped before accept/server1, as you said"):
        seen.go()
    assert ["accept/server1"] == asked[len(started(seen.event_log)) :]
    assert asked[:-1] == started(seen.event_log)
    assert "interrupted" == seen.event_log.progress.outcome


def test_who_leads_is_seen_anew_once_somebody_has_thought_about_a_step(tmp_path: Path) -> None:
    seen, asked = scene(tmp_path), list[str]()

    def permits(step: Step) -> bool:
        if step.id == "accept/server1" and step.id not in asked:
            seen.world.leader = "server1"  # meanwhile
        asked.append(step.id)
        return True

    seen.context = replace(seen.context, permits=permits, canary=None, soak_s=0.0)
    seen.go(until="accepting")
    assert ["accept/server1", "accept/server2"] == [step for step in asked if step.startswith("accept/")][:2]
    assert "accept/server1" == started(seen.event_log)[-1], "the leader goes last"
