"""What is reviewed is what runs; and states exclude one another."""

from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import pytest
from engine.walking import RUN, compiled, context, in_doubt, run, start
from engine.world import World, make_cluster
from support.reviews import reviewed, shown

from orchestrator.engine.context import RunContext
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.engine.step import gates_behind
from orchestrator.errors import (
    PersonNeededError,
    RefusedError,
    RunInterruptedError,
    StoppedError,
    checks_behind,
)
from orchestrator.host.operations import Job, JobResult
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.model import Cluster, Patience
from orchestrator.remote.dry_run import DryRunExecutor
from orchestrator.remote.executor import LiveExecutor
from orchestrator.report.explaining import explicable
from orchestrator.report.review import markdown
from orchestrator.report.review.model import Note

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return make_cluster(tmp_path, local="auto")


def essence(jobs: list[Job]) -> list[object]:
    return [(job.step, job.host, job.operations, job.successor) for job in jobs]


def test_a_dry_run_shows_the_very_operations_of_the_live_run_and_touches_nothing(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    before = deepcopy(world.snapshot())
    rehearsal = DryRunExecutor(LiveExecutor(world))
    run(runbook, rehearsal, MemoryEventLog(), context(cluster))
    assert before == world.snapshot()

    run(runbook, LiveExecutor(world), MemoryEventLog(), context(cluster))
    assert essence(rehearsal.jobs) == essence(world.performed)


def test_the_review_reads_as_agreed(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    rehearsal = DryRunExecutor(LiveExecutor(world))
    run(runbook, rehearsal, MemoryEventLog(), context(cluster))
    notes = (Note("CUT OFF", runbook.losses),)
    away_s = {"server1": 1.2, "server2": 1.6}
    review = reviewed(cluster, world, runbook, rehearsal.jobs, notes=notes, away_s=away_s)
    renderings = {
        "review.txt": shown(review) + "\n",
        "review.md": markdown.rendered(review),
    }

    for name, text in renderings.items():
        assert "PRIVATE KEY" not in text
        assert (GOLDEN / name).read_text() == text


def test_in_every_state_only_that_state_is_seen(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    executor = LiveExecutor(world)
    states = runbook.tracks["server1"]
    for state in states:
        if state != states[0]:
            run(runbook, executor, event_log, context(cluster), until=state)
        for member in runbook.tracks:
            holding = [other for other in states if not executor.refusals(runbook.gates[member, other])]
            same = [other for other in states if runbook.gates[member, other] == runbook.gates[member, state]]
            assert same == holding
    assert [("staged", "proven")] == [  # what tells them apart was seen once: a proof is no gate
        pair
        for pair in pairwise(states)
        if runbook.gates["server1", pair[0]] == runbook.gates["server1", pair[1]]
    ]


def test_followers_go_first_and_the_leader_hands_over_before_its_own_restart(cluster: Cluster) -> None:
    world = World(cluster)
    world.leader = "server1"
    run(compiled(cluster, world), LiveExecutor(world), MemoryEventLog(), context(cluster))
    accept = [(job.host, job.successor) for job in world.performed if job.step.startswith("accept/")]

    assert [("server2", None), ("server3", None), ("server1", "server2"), ("server1", None)] == accept


def test_nothing_is_restarted_while_another_member_is_unhealthy(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="staged")
    world.hosts["server3"].is_running = False
    restarts = [host.restarts for host in world.hosts.values()]

    with pytest.raises(Exception, match="server3 is not healthy") as stopped:
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert 9 == getattr(stopped.value, "exit_code", None)
    assert restarts == [host.restarts for host in world.hosts.values()]


def test_a_cluster_that_is_not_plaintext_is_refused_before_anything_changes(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    world.hosts["server2"].files["/etc/etcd2/server2-key.pem"] = ("another key", 0o600, "etcd", "etcd")

    with pytest.raises(RefusedError, match=r"server2-key.pem holds something else"):
        run(runbook, LiveExecutor(world), MemoryEventLog(), context(cluster))
    assert [] == world.performed


def test_hosts_changed_by_hand_are_named_on_resume(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="accepting")
    del world.hosts["server1"].files["/etc/systemd/system/etcd2.service.d/30-certs.conf"]

    reported = r"server1: loaded with certificates: .*30-certs.conf is missing"
    with pytest.raises(StoppedError, match=reported) as stopped:
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert ("loaded with certificates",) == checks_behind(stopped.value)


def test_an_interrupted_run_stops_between_steps_and_can_go_on(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    impatient = RunContext(
        cluster.patience, sleep=lambda _: None, should_stop=lambda: len(world.performed) >= 5
    )

    with pytest.raises(RunInterruptedError):
        run(runbook, LiveExecutor(world), event_log, impatient)
    assert not event_log.progress.unsettled
    run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert runbook.finals == event_log.progress.states


def test_a_failed_script_is_reported_with_its_last_words_and_done_again_on_resume(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="bridged")
    broken = world.hosts["server1"].base.pop("ETCD_ADVERTISE_CLIENT_URLS")
    del world.hosts["server1"].files["/etc/etcd2/server1.pem"]

    with pytest.raises(StoppedError, match=r"server1\.pem is missing"):
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    world.hosts["server1"].base["ETCD_ADVERTISE_CLIENT_URLS"] = broken
    certificate = (cluster.members[0].certificate.read_text(), 0o644, "root", "root")
    world.hosts["server1"].files["/etc/etcd2/server1.pem"] = certificate
    run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert runbook.finals == event_log.progress.states


def test_a_member_that_falls_ill_between_two_steps_stops_the_line(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()

    def fall_ill() -> bool:
        if len(world.performed) == 7:  # server1 has been restarted, server3 is next
            world.hosts["server2"].is_running = False
        return False

    watched = RunContext(cluster.patience, sleep=lambda _: None, should_stop=fall_ill)
    with pytest.raises(PersonNeededError, match="server2 is not healthy") as stopped:
        run(runbook, LiveExecutor(world), event_log, watched)
    assert "quorate" in checks_behind(stopped.value)
    assert [1, 0, 0] == [host.restarts for host in world.hosts.values()]


def test_a_member_that_falls_ill_during_a_handover_stops_the_line(cluster: Cluster) -> None:
    world = World(cluster)
    runbook, event_log = compiled(cluster, world), MemoryEventLog()
    performs, leader = world.perform, world.leader

    def perform(job: Job) -> JobResult:
        if job.successor:
            third = next(name for name in world.hosts if name not in {job.host, job.successor})
            world.hosts[third].is_running = False
        return performs(job)

    world.perform = perform  # type: ignore[method-assign]
    with pytest.raises(PersonNeededError, match=f"accept/{leader}: .* is not healthy"):
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert leader is not None
    assert 0 == world.hosts[leader].restarts


def test_a_job_that_is_done_but_not_yet_seen_is_waited_for_and_not_done_again(cluster: Cluster) -> None:
    patient = cluster.model_copy(update={"patience": Patience(gate_s=5.0, pause_s=0.0)})
    world = World(patient)
    world.hosts["server1"].start_takes_looks = 4
    runbook = compiled(patient, world)
    event_log = in_doubt(patient, world, runbook)
    step = runbook.step("accept/server1")
    world.perform(Job(f"{RUN}-accept-server1-1", "server1", step.operations, 1.0, step.id))

    run(runbook, LiveExecutor(world), event_log, context(patient), until="accepting")
    assert [1, 1, 1] == [host.restarts for host in world.hosts.values()]


def test_a_member_in_doubt_goes_first_even_if_it_leads_by_now(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = in_doubt(cluster, world, runbook)
    world.leader = "server1"  # its script may still be under way: nobody else may go away now
    before = len(world.performed)

    run(runbook, LiveExecutor(world), event_log, context(cluster), until="accepting")
    assert "server1" == world.performed[before].host


def test_a_proof_that_was_cut_off_is_given_again(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="staged")
    step = runbook.step("prove/server1")
    start(event_log, runbook, step)
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="proven")
    proofs = [job.host for job in world.performed if job.step.startswith("prove/")]
    assert ["server1", "server2", "server3"] == proofs


def test_a_round_that_is_taken_together_is_taken_anew_by_all_and_the_review_says_so(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    world.hosts["server3"].is_refused_by_peers = True
    with pytest.raises(StoppedError, match="prove/server3"):
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    for host in world.hosts.values():
        host.trial = {}  # their time was up
    world.hosts["server3"].is_refused_by_peers = False

    rehearsal = DryRunExecutor(LiveExecutor(world))
    run(runbook, rehearsal, MemoryEventLog(tuple(event_log.events)), context(cluster))
    expected = [f"{round_}/server{number}" for round_ in ("undo-prove", "prove") for number in (1, 2, 3)]
    assert expected == [job.step for job in rehearsal.jobs][:6]
    review = reviewed(cluster, world, runbook, rehearsal.jobs)
    assert "Round undo-prove: proven -> staged" in shown(review)

    before = len(world.performed)
    run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert expected == [job.step for job in world.performed[before:]][:6]
    assert event_log.progress.is_finished


def test_certificates_that_a_peer_refuses_stop_the_run_before_any_restart(cluster: Cluster) -> None:
    world = World(cluster)
    runbook = compiled(cluster, world)
    event_log = MemoryEventLog()
    world.hosts["server3"].is_refused_by_peers = True
    with pytest.raises(
        StoppedError, match="prove/server3: server3: proven to every peer: server3 cannot reach"
    ):
        run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert [0, 0, 0] == [host.restarts for host in world.hosts.values()]

    world.hosts["server3"].is_refused_by_peers = False
    run(runbook, LiveExecutor(world), event_log, context(cluster))
    assert event_log.progress.is_finished
    assert not any(host.trial for host in world.hosts.values())


@pytest.mark.parametrize("migration", MIGRATIONS)
def test_every_check_that_a_run_can_stop_at_is_explained_by_its_printed_name(
    cluster: Cluster, migration: str
) -> None:
    runbook = compiled(cluster, World(cluster), migration)
    steps = runbook.steps.values()
    checks = [gate for gates in runbook.gates.values() for gate in gates]
    checks += [gate for step in steps for gate in (*step.always, *step.before, *gates_behind(step))]
    assert checks
    names = {gate.name for gate in checks}
    assert set() == names.difference(explicable(names))
