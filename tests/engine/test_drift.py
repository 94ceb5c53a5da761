"""Hosts that were changed by hand between a stop and a resume: named, and nothing is done over it."""

from pathlib import Path

import pytest
from engine.walking import compiled, context, in_doubt, run
from engine.world import World, make_cluster

from orchestrator.engine.context import RunContext
from orchestrator.engine.events import StepFailed
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import StoppedError
from orchestrator.etcd.gather import gather
from orchestrator.host.checks import Check, wrong
from orchestrator.host.operations import Write
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.plan.model import Cluster, Patience
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook import drift
from orchestrator.runbook.compile import compile_backward
from orchestrator.runbook.model import Runbook, Step

CERTS = "/etc/systemd/system/etcd2.service.d/30-certs.conf"
KEY = "/etc/etcd2/server1-key.pem"
BY_HAND = ("by hand", 0o644, "root", "root")
BY_NOBODY = ("another key", 0o600, "etcd", "etcd")


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return make_cluster(tmp_path)


def stopped(cluster: Cluster, *, is_failed: bool) -> tuple[World, Runbook, Runbook, MemoryEventLog, Step]:
    """A world in which accept/server1 was begun and did not succeed, and the ways on and back."""
    world = World(cluster)
    on, back = compiled(cluster, world), compile_backward(cluster, gather(cluster, world.look), BRIDGE)
    event_log = in_doubt(cluster, world, on)
    step = on.step("accept/server1")
    if is_failed:
        event_log.append(StepFailed(step=step.id, host=step.host, reason="its script ended with 1"))
    return world, on, back, event_log, step


@pytest.mark.parametrize("is_failed", [True, False])
@pytest.mark.parametrize("goes_back", [True, False])
@pytest.mark.parametrize(("path", "lying"), [(CERTS, BY_HAND), (KEY, BY_NOBODY)])
def test_a_file_of_a_step_that_did_not_succeed_is_not_written_over(
    cluster: Cluster, path: str, lying: tuple[str, int, str, str], *, goes_back: bool, is_failed: bool
) -> None:
    world, on, back, event_log, _ = stopped(cluster, is_failed=is_failed)
    done = len(world.performed)
    world.hosts["server1"].files[path] = lying

    reported = f"server1: half way through accept/server1: {path} has another content"
    with pytest.raises(StoppedError, match=reported):
        run(back if goes_back else on, LiveExecutor(world), event_log, context(cluster))
    assert done == len(world.performed)
    assert lying == world.hosts["server1"].files[path]


@pytest.mark.parametrize("written", [True, False])
def test_a_file_that_the_step_itself_has_written_or_not_is_no_change_by_hand(
    cluster: Cluster, *, written: bool
) -> None:
    world, on, _, event_log, step = stopped(cluster, is_failed=False)
    if written:
        files = (item for item in step.operations if isinstance(item, Write) and item.path == CERTS)
        world.hosts["server1"].files |= {
            item.path: (item.text, item.mode, item.owner, item.group) for item in files
        }
        assert CERTS in world.hosts["server1"].files
    run(on, LiveExecutor(world), event_log, context(cluster))
    assert on.finals == event_log.progress.states


def test_a_file_that_both_ends_of_a_step_have_is_missed(cluster: Cluster) -> None:
    world, on, _, event_log, _ = stopped(cluster, is_failed=False)
    del world.hosts["server1"].files[KEY]
    with pytest.raises(StoppedError, match=rf"half way through accept/server1: {KEY} is missing"):
        run(on, LiveExecutor(world), event_log, context(cluster))


def test_a_change_by_hand_is_reported_at_once_and_a_host_that_is_away_is_waited_for(cluster: Cluster) -> None:
    patient = cluster.model_copy(update={"patience": Patience(gate_s=3600.0, pause_s=0.0)})
    world, on, _, event_log, _ = stopped(patient, is_failed=False)
    world.hosts["server1"].files[CERTS] = BY_HAND
    slept: list[float] = []
    with pytest.raises(StoppedError, match="manual change found"):
        run(on, LiveExecutor(world), event_log, RunContext(patient.patience, sleep=slept.append))
    assert [] == slept

    del world.hosts["server1"].files[CERTS]
    world.away_looks = 3
    run(on, LiveExecutor(world), event_log, RunContext(patient.patience, sleep=slept.append))
    assert on.finals == event_log.progress.states
    assert slept


def test_what_is_wrong_of_no_file_is_no_change_that_a_step_in_doubt_could_have_made() -> None:
    unread = Check("server1", (), lambda _: (), manual_changes=lambda _: (wrong("not read yet"),))
    assert () == drift.half_way("server1", "switch/server1", [unread], [unread]).judge({})
    assert ("not read yet",) == tuple(one.evidence for one in drift.alone([unread])[0].judge({}))
