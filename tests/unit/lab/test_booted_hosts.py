"""The plan of a measurement with booted hosts, and what is read of its state file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import bench_growth, bench_rolling, light_hosts
from bench.booted_hosts import FIRST, NAME
from bench.light_hosts import HostBeside
from bench.rolled import BEHIND, LOOKING, restarting_at_once, rounds_of, under_way_at_once

from orchestrator.engine.events import Recorded, RoundBegan, RunEnded, StepFailed, StepStarted, StepSucceeded
from orchestrator.lab.provisioning import plan_copy
from orchestrator.migrations import MIGRATIONS

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def started(seconds: float, step: str, *, restarts: bool) -> StepStarted:
    return StepStarted(
        at=at(seconds),
        step=step,
        host=step.partition("/")[2],
        source="one",
        target="other",
        attempt=1,
        operations="0" * 64,
        restarts=restarts,
    )


def succeeded(seconds: float, step: str) -> StepSucceeded:
    return StepSucceeded(at=at(seconds), step=step, host=step.partition("/")[2], target="other", took_s=0.0)


def test_booted_hosts_are_hosts_of_clients_that_are_watched(tmp_path: Path) -> None:
    bare = plan_copy.relocated(bench_growth.THREE_MEMBERS.read_text())
    plan = tmp_path / plan_copy.PLAN
    hosts = tuple(HostBeside("org", NAME, FIRST, number) for number in range(200))
    plan.write_text(bench_rolling.watched(light_hosts.planned(bare, hosts), bench_rolling.SHORT_S))
    cluster = plan_copy.read(plan)
    assert [host.address for host in hosts] == [host.address for host in cluster.clients.hosts]
    assert bench_rolling.SHORT_S == cluster.watch.quiet_s


def test_the_round_that_is_measured_is_one_of_the_migration() -> None:
    assert bench_rolling.MOVING in {round_.name for round_ in MIGRATIONS["bridge"].rounds}


def test_rounds_are_timed_until_the_next_one_begins() -> None:
    events: list[Recorded] = [
        RoundBegan(at=at(2), round="stage", target="staged", hosts=("a",), order="all at once"),
        succeeded(4, "stage/a"),
        RoundBegan(at=at(5), round="accept", target="accepting", hosts=("a",), order="one by one"),
        RunEnded(at=at(9), outcome="finished"),
    ]
    assert ((LOOKING, 2.0), ("stage", 3.0), ("accept", 4.0), (BEHIND, 1.0)) == rounds_of(
        events, BEGAN.timestamp(), 10.0
    )


def test_steps_at_once_are_counted_until_they_end() -> None:
    events: list[Recorded] = [
        started(1, "stage/a", restarts=False),
        started(2, "stage/b", restarts=False),
        succeeded(3, "stage/a"),
        succeeded(3, "stage/b"),
        started(4, "accept/a", restarts=True),
        StepFailed(at=at(5), step="accept/a", host="a", reason="no"),
        started(6, "accept/b", restarts=True),
    ]
    assert (2, 1) == (under_way_at_once(events, "stage"), under_way_at_once(events, "accept"))
    assert 1 == restarting_at_once(events)
    assert 2 == restarting_at_once([*events, started(7, "accept/a", restarts=True)])
