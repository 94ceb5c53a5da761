"""Clients are served in both schemes for a while, and a run waits for those who have not moved."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from engine.sourced import SourcedWorld, in_a_configuration, in_a_file
from engine.walking import context, run
from engine.world import World, make_cluster
from support.judging import Layout

from orchestrator.engine.events import Event, Waiting
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import HostUnreachableError, PersonNeededError, RunInterruptedError, StoppedError
from orchestrator.etcd.gather import gather
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answers
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.plan.facts import Facts
from orchestrator.plan.model import Clients, Cluster, Patience
from orchestrator.remote.dry_run import DryRunExecutor
from orchestrator.remote.executor import LiveExecutor, Refusal
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook

HTTP, HTTPS = (2379, "http"), (2379, "https")
EXTRA, LOCAL = (2378, "https"), (4001, "http")


def overlapping(
    folder: Path, version: str, clients: Clients | None = None, local: int | Literal["auto", "none"] = "none"
) -> tuple[Cluster, World, Facts]:
    cluster = make_cluster(folder, local=local).model_copy(update={"clients": clients or Clients()})
    world = World(cluster)
    world.version = version
    facts = gather(cluster, world.look).model_copy(update={"overlaps": True})
    return cluster, world, facts


def served(world: World) -> set[tuple[int, str]]:
    found = [host.schemes("ETCD_LISTEN_CLIENT_URLS") for host in world.hosts.values()]
    assert all(one == found[0] for one in found)
    return set(found[0])


@pytest.mark.parametrize(
    ("version", "both", "end"),
    [("3.5.30", {HTTP, HTTPS}, {HTTPS}), ("3.4.23", {HTTP, EXTRA}, {HTTPS, EXTRA})],
    ids=["one port", "a port of its own"],
)
def test_both_are_served_from_the_first_restart_to_the_last_on_the_way_back_too(
    tmp_path: Path, version: str, both: set[tuple[int, str]], end: set[tuple[int, str]]
) -> None:
    cluster, world, facts = overlapping(tmp_path, version)
    before, event_log = world.copied(lambda _: None).snapshot(), MemoryEventLog()
    there = compile_forward(cluster, facts, BRIDGE)
    run(there, LiveExecutor(world), event_log, context(cluster), until="proven")
    assert {HTTP} == served(world)
    for state in ("accepting", "bridged"):
        run(there, LiveExecutor(world), event_log, context(cluster), until=state)
        assert both == served(world)
    run(there, LiveExecutor(world), event_log, context(cluster))
    assert end == served(world)
    assert {2} == {host.restarts for host in world.hosts.values()}
    anew = compile_forward(cluster, gather(cluster, world.look), BRIDGE)  # as without its state file
    finals = [gate for host, state in anew.finals.items() for gate in anew.gates[host, state]]
    assert () == LiveExecutor(world).refusals(finals)
    back = compile_backward(cluster, facts, BRIDGE)
    run(back, LiveExecutor(world), event_log, context(cluster), until="bridged")
    assert both == served(world)
    run(back, LiveExecutor(world), event_log, context(cluster))
    assert before == world.snapshot()


def test_a_client_that_speaks_http_stops_the_run_and_is_named_until_it_has_moved(tmp_path: Path) -> None:
    cluster, world, facts = overlapping(tmp_path, "3.5.30")
    there, event_log = compile_forward(cluster, facts, BRIDGE), MemoryEventLog()
    world.speaking_http = {"10.0.0.9"}
    with pytest.raises(StoppedError) as caught:
        run(there, LiveExecutor(world), event_log, context(cluster))
    assert {"bridged"} == set(event_log.progress.states.values())
    assert "10.0.0.9 to server1:2379 talks plain http (connected now)" in str(caught.value)
    assert "--cut-off" in str(caught.value)
    assert {True} == {host.is_watching for host in world.hosts.values()}
    world.speaking_http = set()
    run(there, LiveExecutor(world), event_log, context(cluster))
    assert {"sealed"} == set(event_log.progress.states.values())
    assert {False} == {host.is_watching for host in world.hosts.values()}


def test_ports_for_those_who_moved_are_closed_in_a_last_round_once_nobody_uses_them(tmp_path: Path) -> None:
    cluster, world, facts = overlapping(tmp_path, "3.4.23", Clients(close=("local", "extra")), local=4001)
    before, event_log = world.copied(lambda _: None).snapshot(), MemoryEventLog()
    there = compile_forward(cluster, facts, BRIDGE)
    world.on_local = {"fleet.service"}
    with pytest.raises(StoppedError) as caught:
        run(there, LiveExecutor(world), event_log, context(cluster))
    assert {"sealed"} == set(event_log.progress.states.values())
    assert {HTTPS, EXTRA, LOCAL} == served(world)
    assert "client (fleet.service) on server1 to server1:4001 uses that port" in str(caught.value)
    world.on_local = set()
    run(there, LiveExecutor(world), event_log, context(cluster))
    assert {"closed"} == set(event_log.progress.states.values())
    assert {HTTPS} == served(world)
    assert {3} == {host.restarts for host in world.hosts.values()}
    assert {False} == {host.is_watching for host in world.hosts.values()}
    run(compile_backward(cluster, facts, BRIDGE), LiveExecutor(world), event_log, context(cluster))
    assert before == world.snapshot()


def waited_for(runbook: Runbook, holds: Callable[[], bool], takes_s: float = 0.0) -> Runbook:
    """Have the round that closes http wait for something outside."""

    def judge(_: Answers) -> Iterable[Remark]:
        if not holds():
            yield wrong("10.0.0.9 speaks plain http")

    gate = Check("cluster", (), judge, name="nobody left", fix="have it speak https", takes_s=takes_s)
    stages = tuple(
        replace(stage, steps=tuple(replace(step, before=(gate,)) for step in stage.steps))
        if stage.round == "switch"
        else stage
        for stage in runbook.stages
    )
    return replace(runbook, stages=stages)


def at_rest(folder: Path) -> tuple[Cluster, World, Runbook, MemoryEventLog]:
    cluster, world, facts = overlapping(folder, "3.5.30")
    runbook, event_log = compile_forward(cluster, facts, BRIDGE), MemoryEventLog()
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="bridged")
    return cluster, world, runbook, event_log


def test_who_has_not_moved_stops_the_run_before_the_first_restart_and_is_named(tmp_path: Path) -> None:
    cluster, world, runbook, event_log = at_rest(tmp_path)
    present, restarts = [True], [host.restarts for host in world.hosts.values()]
    guarded = waited_for(runbook, lambda: not present[0])
    with pytest.raises(StoppedError) as caught:
        run(guarded, LiveExecutor(world), event_log, context(cluster))
    assert "10.0.0.9 speaks plain http. have it speak https" in str(caught.value)
    assert "the cluster is healthy" in str(caught.value)
    assert restarts == [host.restarts for host in world.hosts.values()]
    assert not event_log.progress.unsettled
    present[0] = False
    run(guarded, LiveExecutor(world), event_log, context(cluster))
    assert {"sealed"} == set(event_log.progress.states.values())


def test_who_insists_is_asked_once_and_goes_on(tmp_path: Path) -> None:
    cluster, world, runbook, event_log = at_rest(tmp_path)
    asked: list[str] = []

    def insist(reasons: str) -> bool:
        asked.append(reasons)
        return True

    insisting = replace(context(cluster), insist=insist)
    run(waited_for(runbook, lambda: False), LiveExecutor(world), event_log, insisting)
    assert ["cluster: nobody left: 10.0.0.9 speaks plain http"] == asked
    assert {"sealed"} == set(event_log.progress.states.values())


@pytest.mark.parametrize(("waits", "slept"), [(True, True), (False, False)])
def test_it_is_waited_for_as_long_as_it_takes_unless_nobody_wants_to_wait(
    tmp_path: Path, *, waits: bool, slept: bool
) -> None:
    cluster, world, runbook, event_log = at_rest(tmp_path)
    pauses: list[float] = []
    guarded = waited_for(runbook, lambda: len(pauses) > 3, takes_s=3600.0)
    seen: list[Event] = []
    waiting = replace(
        context(cluster),
        patience=Patience(gate_s=0.0, pause_s=0.0),
        sleep=pauses.append,
        narrate=seen.append,
        insist=lambda _: not waits,
        waits=waits,
    )
    run(guarded, LiveExecutor(world), event_log, waiting)
    assert slept == (len(pauses) > 3)
    reasons = {reason for event in seen if isinstance(event, Waiting) for reason in event.reasons}
    assert slept == ("cluster: nobody left: 10.0.0.9 speaks plain http" in reasons)


def test_waiting_ends_at_once_when_asked_to(tmp_path: Path) -> None:
    cluster, world, runbook, event_log = at_rest(tmp_path)
    looks: list[None] = []

    def look() -> bool:
        looks.append(None)
        return False

    guarded = waited_for(runbook, look, takes_s=3600.0)
    stopping = replace(context(cluster), should_stop=lambda: len(looks) > 2)
    with pytest.raises(RunInterruptedError):
        run(guarded, LiveExecutor(world), event_log, stopping)
    assert "interrupted" == event_log.progress.outcome


def test_a_step_that_began_is_not_held_up_again(tmp_path: Path) -> None:
    cluster, world, runbook, event_log = at_rest(tmp_path)
    first = waited_for(runbook, lambda: True)
    follower = next(name for name in world.hosts if name != world.leader)
    world.hosts[follower].never_starts = True
    with pytest.raises(PersonNeededError):
        run(first, LiveExecutor(world), event_log, context(cluster))
    assert [follower] == list(event_log.progress.unsettled)
    world.hosts[follower].never_starts = False
    world.hosts[follower].restart()
    held = [True]
    with pytest.raises(StoppedError) as caught:
        run(waited_for(runbook, lambda: not held[0]), LiveExecutor(world), event_log, context(cluster))
    assert "switched" == event_log.progress.states[follower]  # the others were held up, it was not
    assert "10.0.0.9" in str(caught.value)


def test_a_dry_run_does_not_wait(tmp_path: Path) -> None:
    cluster, world, runbook, event_log = at_rest(tmp_path)
    told: list[str] = []

    def insist(reasons: str) -> bool:
        told.append(reasons)
        return True

    dry = replace(context(cluster), waits=False, insist=insist)
    rehearsal = DryRunExecutor(LiveExecutor(world))
    run(waited_for(runbook, lambda: False, takes_s=3600.0), rehearsal, event_log, dry)
    assert 1 == len(told)
    assert "seal/server3" in {job.step for job in rehearsal.jobs}


def test_who_leads_is_asked_once_nobody_is_waited_for_any_more(tmp_path: Path) -> None:
    cluster, world, runbook, event_log = at_rest(tmp_path)
    follower = next(name for name in world.hosts if name != world.leader)

    def left() -> bool:
        world.leader = follower  # while it was waited for
        return True

    run(waited_for(runbook, left), LiveExecutor(world), event_log, context(cluster))
    switched = [job for job in world.performed if job.step.startswith("switch/")]
    assert follower == switched[-1].host
    assert [follower] == [job.host for job in switched if job.successor]


def test_who_insists_is_told_of_everybody_and_not_of_the_first_reason_alone(tmp_path: Path) -> None:
    cluster, world, runbook, event_log = at_rest(tmp_path)
    world.speaking_http = {"10.0.0.9", "10.0.0.77"}
    asked: list[str] = []

    def insist(reasons: str) -> bool:
        asked.append(reasons)
        return True

    run(runbook, LiveExecutor(world), event_log, replace(context(cluster), insist=insist))
    assert 1 == len(asked)
    assert "not spoken to in http" in asked[0]
    assert "free of plain clients" in asked[0]
    assert "10.0.0.77" in asked[0]


def test_nobody_insists_on_a_host_that_says_nothing(tmp_path: Path) -> None:
    cluster, world, runbook, event_log = at_rest(tmp_path)

    class Silent(LiveExecutor):
        def refusals(self, gates: Sequence[Check], *, max_age_s: float = 0.0) -> tuple[Refusal, ...]:
            if any(gate.name == "nobody left" for gate in gates):
                raise HostUnreachableError("server2", "timed out")
            return super().refusals(gates, max_age_s=max_age_s)

    insisting = replace(context(cluster), insist=lambda _: True)
    with pytest.raises(StoppedError, match="server2: timed out"):
        run(waited_for(runbook, lambda: True), Silent(world), event_log, insisting)


def test_a_member_that_has_nothing_to_close_keeps_nobody_waiting(tmp_path: Path) -> None:
    cluster, world, _ = overlapping(tmp_path, "3.5.30", Clients(close=("local",)), local="auto")
    for name in ("server2", "server3"):
        host = world.hosts[name]
        host.base["ETCD_LISTEN_CLIENT_URLS"] += ",http://127.0.0.1:4001"
        host.reload()
        host.environment = dict(host.loaded)
    facts, event_log = gather(cluster, world.look, overlaps=True), MemoryEventLog()
    run(compile_forward(cluster, facts, BRIDGE), LiveExecutor(world), event_log, context(cluster))
    assert {"closed"} == set(event_log.progress.states.values())
    assert [2, 3, 3] == [host.restarts for host in world.hosts.values()]
    assert {False} == {host.is_watching for host in world.hosts.values()}


@pytest.mark.parametrize("close", [(), ("extra",), ("local", "extra")], ids=str)
@pytest.mark.parametrize("layout", [in_a_file, in_a_configuration])
def test_own_files_that_are_edited_say_the_extra_port_too(
    tmp_path: Path, layout: Layout, close: tuple[Literal["local", "extra"], ...]
) -> None:
    plan = {"persist": "in_place", "clients": Clients(close=close)}
    cluster = make_cluster(tmp_path).model_copy(update=plan)
    world = SourcedWorld(cluster, layout)
    facts, event_log = gather(cluster, world.look, overlaps=True), MemoryEventLog()
    run(compile_forward(cluster, facts, BRIDGE), LiveExecutor(world), event_log, context(cluster))
    assert {"settled"} == set(event_log.progress.states.values())
    before = facts.members["server1"].environment
    run(compile_backward(cluster, facts, BRIDGE), LiveExecutor(world), event_log, context(cluster))
    after = {host.environment["ETCD_LISTEN_CLIENT_URLS"] for host in world.hosts.values()}
    assert {before["ETCD_LISTEN_CLIENT_URLS"]} == after
