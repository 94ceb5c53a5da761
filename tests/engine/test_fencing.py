"""A run whose lock was taken away in the middle: it stops, and no job of its own is done any more."""

from dataclasses import replace
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster
from support.holders import OURS

from orchestrator.engine.events import Event, HandedOver, RunEnded, StepFailed, StepStarted
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import LockedError
from orchestrator.remote.executor import LiveExecutor
from orchestrator.remote.host_locks import HostLocks


# The step before which the lock is lost, and how many are announced by then: some rounds are taken at once.
@pytest.mark.parametrize(("moment", "ahead"), [(1, 3), (4, 6), (5, 6), (8, 8), (12, 12), (16, 16), (20, 20)])
def test_a_run_without_its_lock_stops_and_says_so(tmp_path: Path, moment: int, ahead: int) -> None:
    cluster = make_cluster(tmp_path)
    world, event_log, reported = World(cluster), MemoryEventLog(), list[Event]()
    runbook = compiled(cluster, world)
    rival = replace(OURS, run="cd34").text

    def narrate(event: Event) -> None:
        reported.append(event)
        if len([one for one in reported if isinstance(one, StepStarted | HandedOver)]) == moment:
            for host in world.hosts.values():
                host.lock = rival

    locks = HostLocks(world, list(world.hosts), OURS, "unlock {}".format)
    with (
        pytest.raises(LockedError, match=r"run cd34 .* did nothing there"),
        locks.held(absent_ok=False, warn=pytest.fail),
    ):
        run(runbook, LiveExecutor(locks), event_log, replace(context(cluster), narrate=narrate))

    performed = [job for job in world.performed if job.step]
    announced = [one for one in event_log.events if isinstance(one, StepStarted | HandedOver)]
    assert ahead == len(announced)
    assert len(performed) == (ahead - 3 if ahead <= 6 else moment - 1)
    assert isinstance(event_log.events[-1], RunEnded)
    assert event_log.events[-1].outcome == "stopped"
    if isinstance(announced[-1], StepStarted):
        assert isinstance(event_log.events[-2], StepFailed)
    assert {rival} == {host.lock for host in world.hosts.values()}


def test_without_a_rival_the_same_run_ends_well_and_lets_go(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world, event_log = World(cluster), MemoryEventLog()
    runbook = compiled(cluster, world)
    locks = HostLocks(world, list(world.hosts), OURS, "unlock {}".format)
    with locks.held(absent_ok=False, warn=pytest.fail):
        run(runbook, LiveExecutor(locks), event_log, context(cluster))

    assert {OURS.mark} == {job.lock for job in world.performed if job.step}
    assert dict.fromkeys(world.hosts, "sealed") == event_log.progress.states
    assert {""} == {host.lock for host in world.hosts.values()}
