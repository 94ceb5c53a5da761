"""A run whose lock was taken away in the middle: it stops, and no deed of its own is done any more."""

from dataclasses import replace
from pathlib import Path

import pytest
from engine.walking import compiled, pace, run
from engine.world import World, make_cluster
from support.holders import OURS

from orchestrator.engine.events import Event, HandedOver, RunEnded, StepFailed, StepStarted
from orchestrator.engine.journal import MemoryJournal
from orchestrator.errors import LockedError
from orchestrator.remote.executor import LiveExecutor
from orchestrator.remote.lease import Lease


@pytest.mark.parametrize("moment", [1, 4, 8, 12, 16, 20])
def test_a_run_without_its_lock_stops_and_says_so(tmp_path: Path, moment: int) -> None:
    cluster = make_cluster(tmp_path)
    world, journal, told = World(cluster), MemoryJournal(), list[Event]()
    runbook = compiled(cluster, world)
    rival = replace(OURS, run="cd34").text

    def narrate(event: Event) -> None:
        told.append(event)
        if len([one for one in told if isinstance(one, StepStarted | HandedOver)]) == moment:
            for host in world.hosts.values():
                host.lock = rival

    lease = Lease(world, list(world.hosts), OURS, "unlock {}".format)
    with (
        pytest.raises(LockedError, match=r"run cd34 .* did nothing there"),
        lease.held(absent_ok=False, warn=pytest.fail),
    ):
        run(runbook, LiveExecutor(lease), journal, replace(pace(cluster), narrate=narrate))

    performed = [deed for deed in world.performed if deed.step]
    announced = [one for one in journal.events if isinstance(one, StepStarted | HandedOver)]
    assert moment == len(announced)
    assert moment - 1 == len(performed)
    assert isinstance(journal.events[-1], RunEnded)
    assert journal.events[-1].outcome == "stopped"
    if isinstance(announced[-1], StepStarted):
        assert isinstance(journal.events[-2], StepFailed)
    assert {rival} == {host.lock for host in world.hosts.values()}


def test_without_a_rival_the_same_run_ends_well_and_lets_go(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world, journal = World(cluster), MemoryJournal()
    runbook = compiled(cluster, world)
    lease = Lease(world, list(world.hosts), OURS, "unlock {}".format)
    with lease.held(absent_ok=False, warn=pytest.fail):
        run(runbook, LiveExecutor(lease), journal, pace(cluster))

    assert {OURS.mark} == {deed.lock for deed in world.performed if deed.step}
    assert dict.fromkeys(world.hosts, "sealed") == journal.progress.states
    assert {""} == {host.lock for host in world.hosts.values()}
