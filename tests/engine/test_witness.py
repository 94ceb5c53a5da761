"""A witness uses the cluster during a run: it is asked before each step, and what it saw is written down."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine.events import Account, StepStarted, StepSucceeded, Walked, now
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import StoppedError
from orchestrator.remote.executor import LiveExecutor


@dataclass
class Writer:
    """Objects once so many steps have succeeded; ``last`` is what it objects to only in the end."""

    event_log: MemoryEventLog
    objects_after: int = 10**6
    last: str = ""
    ends: int = 0
    since: object = field(default_factory=now)

    @property
    def steps(self) -> int:
        return sum(isinstance(event, StepSucceeded) for event in self.event_log.events)

    def objection(self) -> str:
        if self.ends and self.last:
            return self.last
        return "2 of 7 operations failed" if self.steps >= self.objects_after else ""

    def account(self) -> Account | None:
        at = now()
        return Account(since=at, operations=self.steps, failed=0, lost=0, longest_stall_s=0.12, stalled_at=at)

    def end(self) -> None:
        self.ends += 1


def walk(folder: Path, witness: Writer, until: str | None = None, world: World | None = None) -> World:
    cluster = make_cluster(folder)
    world = world or World(cluster)
    told = replace(context(cluster), witness=witness)
    runbook = compiled(cluster, World(cluster))
    run(runbook, LiveExecutor(world), witness.event_log, told, until=until)
    return world


@pytest.mark.parametrize("steps", range(1, 18))
def test_an_objection_stops_the_run_before_the_next_step_and_a_resume_finishes_it(
    tmp_path: Path, steps: int
) -> None:
    event_log, world = MemoryEventLog(), World(make_cluster(tmp_path))
    writer = Writer(event_log, objects_after=steps)
    with pytest.raises(StoppedError, match="2 of 7 operations failed\n  the cluster is healthy"):
        walk(tmp_path, writer, world=world)
    progress = event_log.progress
    assert ("stopped", {}) == (progress.outcome, dict(progress.unsettled))
    assert writer.ends
    walk(tmp_path, Writer(event_log), world=world)
    assert event_log.progress.is_finished
    started = [event.step for event in event_log.events if isinstance(event, StepStarted)]
    assert len(set(started)) == len(started), "nothing is done twice"


def test_what_is_found_in_the_end_stops_the_run_though_no_step_is_left(tmp_path: Path) -> None:
    event_log = MemoryEventLog()
    with pytest.raises(StoppedError, match="stopped behind the last step: 1 write is lost"):
        walk(tmp_path, Writer(event_log, last="1 write is lost"))
    assert "stopped" == event_log.progress.outcome


@pytest.mark.parametrize("until", [None, "accepting"])
def test_the_end_is_noted_at_the_time_of_the_end(tmp_path: Path, until: str | None) -> None:
    event_log = MemoryEventLog()
    walk(tmp_path, Writer(event_log), until=until)
    times = [event.at for event in event_log.events]
    assert sorted(times) == times


def test_every_event_of_the_walk_says_what_the_witness_saw_until_then(tmp_path: Path) -> None:
    event_log = MemoryEventLog()
    walk(tmp_path, Writer(event_log), until="accepting")
    walked = [event for event in event_log.events if isinstance(event, Walked)]
    seen = [event.account.operations for event in walked if event.account]
    assert len(walked) == len(seen)
    assert [
        sum(isinstance(one, StepSucceeded) for one in walked[:count]) for count in range(len(seen))
    ] == seen
