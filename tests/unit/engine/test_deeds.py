"""A run's story, told again from the names of the deeds that began on the hosts."""

from pathlib import Path

import pytest
from engine.walking import RUN, header
from engine.world import World, make_cluster

from orchestrator.engine.deeds import name_of, name_of_handover, retell
from orchestrator.engine.events import Opened
from orchestrator.engine.progress import Progress
from orchestrator.etcd.gather import gather
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook


@pytest.fixture
def told(tmp_path: Path) -> tuple[Opened, Runbook, Runbook]:
    cluster = make_cluster(tmp_path)
    facts = gather(cluster, World(cluster).look)
    there = compile_forward(cluster, facts, BRIDGE)
    return header(facts, there), there, compile_backward(cluster, facts, BRIDGE)


def test_the_last_step_is_in_doubt_and_those_before_are_done(told: tuple[Opened, Runbook, Runbook]) -> None:
    opened, *ways = told
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


def test_a_handover_comes_before_its_step_and_keeps_its_number(told: tuple[Opened, Runbook, Runbook]) -> None:
    opened, *ways = told
    begun = {"server2": ["ab12cd34-prove-server2-1", "ab12cd34-accept-server2-handover-2"]}
    progress = Progress.of(retell(opened, ways, begun))

    assert {"server2": "proven"} == progress.states
    assert {} == progress.unsettled
    assert {"accept/server2": 2} == progress.handovers


def test_names_are_read_as_they_are_written(told: tuple[Opened, Runbook, Runbook]) -> None:
    opened, there, back = told
    for host in there.tracks:
        steps = [step for way in (there, back) for stage in way.stages for step in stage.steps]
        names: list[str] = []
        for step in (step for step in steps if step.host == host):
            names += [name_of_handover(RUN, step, 1), name_of(RUN, step, 7)]
            progress = Progress.of(retell(opened, (there, back), {host: names}))
            assert 7 == progress.attempts[step.id]
            assert 1 == progress.handovers[step.id]
            assert step.id == progress.unsettled[host].step


@pytest.mark.parametrize(
    "name", ["cd34-stage-server1-1", "ab12cd34-stage-server2-1", "ab12cd34-stage-server1-x", ""]
)
def test_a_name_of_nothing_that_is_known_is_refused(told: tuple[Opened, Runbook, Runbook], name: str) -> None:
    opened, *ways = told
    with pytest.raises(ValueError, match="no step of run ab12cd34 has such a deed"):
        retell(opened, ways, {"server1": [name]})
