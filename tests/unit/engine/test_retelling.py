"""A run's story, told again from the names of the jobs that began on the hosts."""

from pathlib import Path

import pytest
from engine.walking import RUN, header
from engine.world import World, make_cluster

from orchestrator.engine.events import Opened
from orchestrator.engine.progress import Progress
from orchestrator.engine.retelling import retell
from orchestrator.etcd.gather import gather
from orchestrator.host.names import of_attempt, of_handover
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook


@pytest.fixture
def reported(tmp_path: Path) -> tuple[Opened, Runbook, Runbook]:
    cluster = make_cluster(tmp_path)
    facts = gather(cluster, World(cluster).look)
    there = compile_forward(cluster, facts, BRIDGE)
    return header(facts, there), there, compile_backward(cluster, facts, BRIDGE)


def test_the_last_step_is_in_doubt_and_those_before_are_done(
    reported: tuple[Opened, Runbook, Runbook],
) -> None:
    opened, *ways = reported
    begun = {
        "server1": ["ab12cd34-stage-server1-1", "ab12cd34-prove-server1-1", "ab12cd34-prove-server1-2"],
        "server2": ["ab12cd34-stage-server2-1", "ab12cd34-undo-stage-server2-1"],
        "server3": [],
    }
    progress = Progress.of(retell(opened, ways, begun))

    assert opened == progress.opened
    assert {"server1": "staged", "server2": "staged"} == progress.states
    doubts = {host: (doubt.step, doubt.attempt) for host, doubt in progress.unsettled.items()}
    assert {"server1": ("prove/server1", 2), "server2": ("undo-stage/server2", 1)} == doubts


def test_a_handover_comes_before_its_step_and_keeps_its_number(
    reported: tuple[Opened, Runbook, Runbook],
) -> None:
    opened, *ways = reported
    begun = {"server2": ["ab12cd34-prove-server2-1", "ab12cd34-accept-server2-handover-2"]}
    progress = Progress.of(retell(opened, ways, begun))

    assert {"server2": "proven"} == progress.states
    assert {} == progress.unsettled
    assert {"accept/server2": 2} == progress.handovers


def test_names_are_read_as_they_are_written(reported: tuple[Opened, Runbook, Runbook]) -> None:
    opened, there, back = reported
    for host in there.tracks:
        steps = [step for way in (there, back) for stage in way.stages for step in stage.steps]
        begun: list[str] = []
        for step in (step for step in steps if step.host == host):
            begun += [of_handover(RUN, step.round, host, 1), of_attempt(RUN, step.round, host, 7)]
            progress = Progress.of(retell(opened, (there, back), {host: begun}))
            assert 7 == progress.attempts[step.id]
            assert 1 == progress.handovers[step.id]
            assert step.id == progress.unsettled[host].step


@pytest.mark.parametrize(
    "name", ["cd34-stage-server1-1", "ab12cd34-stage-server2-1", "ab12cd34-stage-server1-x", ""]
)
def test_a_name_of_nothing_that_is_known_is_refused(
    reported: tuple[Opened, Runbook, Runbook], name: str
) -> None:
    opened, *ways = reported
    with pytest.raises(ValueError, match="no step of run ab12cd34 has such a job"):
        retell(opened, ways, {"server1": [name]})


IMPOSSIBLE = [
    (["stage-server1-0"], "no step of run ab12cd34 has such a job"),
    (["stage-server1-99999999999"], "no step of run ab12cd34 has such a job"),
    ([f"stage-server1-{'9' * 5000}"], "no step of run ab12cd34 has such a job"),
    (["stage-server1-01"], "no step of run ab12cd34 has such a job"),
    (["stage-server1-1\x1b[31m"], r"'ab12cd34-stage-server1-1\\x1b\[31m': no step"),
    (["stage-server1-2", "stage-server1-1"], "stage/server1: attempt 1 cannot have begun behind"),
    (
        ["prove-server1-1", "accept-server1-handover-2", "accept-server1-handover-1"],
        "accept/server1: handover 1 cannot have begun behind",
    ),
    (
        ["stage-server1-1", "undo-stage-server1-1", "stage-server1-1"],
        "stage/server1: attempt 1 cannot have begun behind",
    ),
    (["seal-server1-1"], "seal/server1 cannot have begun on a host that stands in 'plaintext'"),
    (["undo-seal-server1-1"], "undo-seal/server1 cannot have begun on a host that stands in 'plaintext'"),
    (
        [f"{undo}stage-server1-{number}" for number in range(1, 5002) for undo in ("", "undo-")],
        "server1 remembers more than 10000 steps",
    ),
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("names", "words"), IMPOSSIBLE)
def test_what_cannot_have_begun_is_refused(
    reported: tuple[Opened, Runbook, Runbook], names: list[str], words: str
) -> None:
    opened, *ways = reported
    with pytest.raises(ValueError, match=words):
        retell(opened, ways, {"server1": [f"{RUN}-{name}" for name in names]})


@pytest.mark.timeout(20)
def test_a_number_is_no_number_of_events(reported: tuple[Opened, Runbook, Runbook]) -> None:
    opened, *ways = reported
    names = [
        f"{RUN}-accept-server1-handover-999999999",
        *(f"{RUN}-accept-server1-{n}" for n in range(1, 20001)),
    ]
    events = retell(opened, ways, {"server1": [f"{RUN}-prove-server1-1", *names]})
    assert ["opened", "recovered", "step_started", "step_succeeded", "handing_over", "step_started"] == [
        event.event for event in events
    ]
    assert {"prove/server1": 1, "accept/server1": 20000} == Progress.of(events).attempts


def test_a_job_in_doubt_that_was_sent_again_is_no_new_one(reported: tuple[Opened, Runbook, Runbook]) -> None:
    opened, *ways = reported
    names = ["prove-server1-1", "accept-server1-1", "accept-server1-handover-1", "accept-server1-1"]
    progress = Progress.of(retell(opened, ways, {"server1": [f"{RUN}-{name}" for name in names]}))
    assert {"prove/server1": 1, "accept/server1": 1} == progress.attempts


def test_an_undo_of_a_step_that_never_came_is_possible(reported: tuple[Opened, Runbook, Runbook]) -> None:
    opened, *ways = reported
    names = ["stage-server1-1", "prove-server1-1", "undo-accept-server1-1", "accept-server1-2"]
    progress = Progress.of(retell(opened, ways, {"server1": [f"{RUN}-{name}" for name in names]}))
    assert {"server1": "proven"} == progress.states
    assert "accept/server1" == progress.unsettled["server1"].step
