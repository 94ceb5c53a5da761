"""Rounds in which no member goes away: their hosts take them at once, and one that fails stops no other."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from engine.walking import compiled, context, header, run
from engine.world import World, make_cluster

from orchestrator.commands.dry_run import rehearse
from orchestrator.engine.context import Perform, one_after_the_other
from orchestrator.engine.events import Event, Recorded, RoundBegan, StepStarted, StepSucceeded
from orchestrator.engine.progress import Progress
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import (
    HostUnreachableError,
    PersonNeededError,
    RunInterruptedError,
    StoppedError,
    UnwritableError,
    checks_behind,
)
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import Job, JobResult
from orchestrator.plan.model import Cluster
from orchestrator.remote.dry_run import DryRunExecutor
from orchestrator.remote.executor import LiveExecutor

HOSTS = ("server1", "server2", "server3")


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return make_cluster(tmp_path)


class Lossy(World):
    """Loses a host while it performs its job of one step, once."""

    lost = ""

    def perform(self, job: Job) -> JobResult:
        if job.step == self.lost:
            self.lost = ""
            raise HostUnreachableError(job.host, "gone; its job is in doubt")
        return super().perform(job)


def test_rounds_without_a_restart_are_under_way_on_every_host_at_once(cluster: Cluster) -> None:
    world, event_log = World(cluster), MemoryEventLog()
    together: list[list[str]] = []

    def at_once(perform: Perform, jobs: Sequence[Job]) -> Sequence[JobResult | Exception]:
        together.append([job.step for job in jobs])
        return one_after_the_other(perform, jobs)

    run(compiled(cluster, world), LiveExecutor(world), event_log, replace(context(cluster), at_once=at_once))

    several = [steps for steps in together if len(steps) > 1]
    assert [[f"{name}/{host}" for host in HOSTS] for name in ("stage", "prove")] == several
    rounds = {event.round: event.at_once for event in event_log.events if isinstance(event, RoundBegan)}
    assert ["stage", "prove", "bridge", "seal"] == [name for name, is_at_once in rounds.items() if is_at_once]
    own = [event for event in event_log.events if isinstance(event, StepStarted | StepSucceeded)]
    assert [StepStarted] * 3 + [StepSucceeded] * 3 == [type(event) for event in own[:6]]
    assert [StepStarted, StepSucceeded] * 3 == [type(event) for event in own[12:18]]  # accept


def test_no_round_that_restarts_a_member_is_taken_at_once_and_the_registry_changes_in_turn(
    cluster: Cluster,
) -> None:
    world = World(cluster)
    for stage in compiled(cluster, world).stages:
        restarts = any(step.restarts for step in stage.steps)
        assert not (stage.at_once and restarts), stage.round
        assert stage.at_once == (stage.round in {"stage", "prove", "bridge", "seal"}), stage.round
        assert (stage.order == "all at once") == (stage.round in {"stage", "prove"}), stage.round

    half_done = World(cluster)
    ours = half_done.hosts["server1"]
    half_done.registry[ours.id]["peers"] = [f"https://{ours.address}:2380"]  # a 'member update' too early
    stage = compiled(cluster, half_done).stages[0]
    assert ("stage", "in turn, then one look at all") == (stage.round, stage.order)


def test_a_host_that_fails_stops_no_other_and_the_run_names_it(cluster: Cluster) -> None:
    world, event_log = World(cluster), MemoryEventLog()
    runbook = compiled(cluster, world)
    world.hosts["server2"].is_refused_by_peers = True  # its trial, too

    both = (
        r"prove/server2: .*\n  server2 still stands in 'staged'\n  prove/server3: .*\n  server3 still stands"
    )
    with pytest.raises(StoppedError, match=both):
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert ["server2", "server3"] == [
        name for name, doubt in event_log.progress.unsettled.items() if doubt.is_failed
    ]
    assert event_log.progress.states["server1"] == "proven"

    world.hosts["server2"].is_refused_by_peers = False
    run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert runbook.finals == event_log.progress.states


def test_whatever_stops_hosts_that_go_at_once_is_explained_of_each(cluster: Cluster) -> None:
    class Robbed(World):
        def perform(self, job: Job) -> JobResult:
            done = super().perform(job)
            if job.step == "prove/server3":
                del self.hosts["server3"].files["/etc/etcd2/server3.pem"]
            return done

    world = Robbed(cluster)
    world.hosts["server2"].is_refused_by_peers = True

    with pytest.raises(StoppedError, match=r"(?s)prove/server2: .*prove/server3: ") as stopped:
        run(compiled(cluster, world), LiveExecutor(world), MemoryEventLog(), context(cluster))
    assert ("proven to every peer", "holding certificates") == checks_behind(stopped.value)


def test_the_registry_changes_for_one_member_after_the_other_and_stops_at_a_failure(cluster: Cluster) -> None:
    world, event_log = Lossy(cluster), MemoryEventLog()
    runbook = compiled(cluster, world)
    world.lost = "bridge/server2"

    with pytest.raises(StoppedError, match=r"(?s)bridge/server2: server2: gone.*bridge/server2 is in doubt"):
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    states = event_log.progress.states
    assert ("bridged", "accepting", "accepting") == tuple(states[host] for host in HOSTS)
    assert ["server2"] == list(event_log.progress.unsettled)
    assert "bridge/server3" not in event_log.progress.attempts

    run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert runbook.finals == event_log.progress.states


@pytest.mark.parametrize("step", ["stage/server1", "stage/server2", "prove/server3"])
def test_a_host_that_is_lost_leaves_its_own_step_in_doubt(cluster: Cluster, step: str) -> None:
    world, event_log = Lossy(cluster), MemoryEventLog()
    runbook = compiled(cluster, world)
    world.lost = step

    host = step.partition("/")[2]
    with pytest.raises(StoppedError, match=rf"(?s){step}: {host}: gone.*{step} is in doubt"):
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert event_log.progress.unsettled[host].step == step
    assert not event_log.progress.unsettled[host].is_failed
    stood = runbook.step(step).target
    if step.startswith("stage"):
        assert {other: stood for other in HOSTS if other != host} == event_log.progress.states

    run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert runbook.finals == event_log.progress.states


def test_a_dry_run_goes_the_same_way(cluster: Cluster) -> None:
    world, event_log = World(cluster), MemoryEventLog()
    runbook = compiled(cluster, world)
    dry = DryRunExecutor(LiveExecutor(world))
    run(runbook, dry, event_log, context(cluster))
    noted = [job.step for job in dry.jobs]
    assert [f"{name}/{host}" for name in ("stage", "prove") for host in HOSTS] == noted[:6]


def test_a_member_that_is_unwell_stops_the_line_for_all(cluster: Cluster) -> None:
    world, event_log = World(cluster), MemoryEventLog()
    runbook = compiled(cluster, world)

    executor = LiveExecutor(world, count(0.0, 1.5).__next__)  # every answer is old by the next look

    def narrate(event: Event) -> None:
        if isinstance(event, RoundBegan) and event.round == "prove":
            world.hosts["server3"].is_running = False

    with pytest.raises(PersonNeededError, match=r"prove/server1: server1: quorate: server3 is not healthy"):
        run(runbook, executor, event_log, replace(context(cluster), narrate=narrate))
    assert {"stage"} == {job.step.partition("/")[0] for job in world.performed}
    assert {} == event_log.progress.unsettled


def test_whoever_asks_to_stop_is_heard_between_two_changes_of_the_registry(cluster: Cluster) -> None:
    world, event_log = World(cluster), MemoryEventLog()
    runbook = compiled(cluster, world)

    def is_asked() -> bool:
        return bool(world.performed) and world.performed[-1].step == "bridge/server1"

    with pytest.raises(RunInterruptedError, match=r"stopped before bridge/server2, as asked"):
        run(runbook, LiveExecutor(world), event_log, replace(context(cluster), should_stop=is_asked))
    assert {} == event_log.progress.unsettled
    assert event_log.progress.states == {"server1": "bridged", "server2": "accepting", "server3": "accepting"}

    run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert runbook.finals == event_log.progress.states


def test_what_failed_is_reported_though_what_succeeded_cannot_be_noted(cluster: Cluster) -> None:
    class Full(MemoryEventLog):
        def append(self, event: Recorded) -> None:
            if isinstance(event, StepSucceeded) and event.step.startswith("prove/"):
                raise UnwritableError("no room for it")
            super().append(event)

    world, event_log = World(cluster), Full()
    runbook = compiled(cluster, world)
    world.hosts["server3"].is_refused_by_peers = True
    with pytest.raises(StoppedError, match=r"(?s)prove/server3: .*\n  no room for it"):
        run(runbook, LiveExecutor(world), event_log, context(cluster))


def test_a_dry_run_notes_jobs_in_their_order_whoever_performs_them_at_once(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    progress = Progress.of([header(gather(cluster, world.look), runbook)])

    def backwards(perform: Perform, jobs: Sequence[Job]) -> Sequence[JobResult | Exception]:
        return [perform(job) for job in reversed(jobs)][::-1]

    jobs = rehearse(runbook, world, progress, replace(context(cluster), at_once=backwards))
    assert [f"stage/{host}" for host in HOSTS] == [job.step for job in jobs[:3]]


def test_the_digest_is_as_it_was_when_every_round_was_taken_one_by_one(cluster: Cluster) -> None:
    runbook = compiled(cluster, World(cluster))
    slow = [
        replace(stage, order="one by one", at_once=False) if stage.at_once else stage
        for stage in runbook.stages
    ]
    assert runbook.digest == replace(runbook, stages=tuple(slow)).digest
