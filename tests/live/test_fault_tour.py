"""A rehearsal with faults on real hosts: each strikes in its round, the run goes on, and nothing is lost."""

import pytest
from live.stories import events, restarts

from orchestrator.engine.progress import Progress
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.proof.fault_cases import Turn, ended
from orchestrator.lab.proof.fault_tour import tour

TURNS = (Turn("stage", "staged", 3), Turn("accept", "accepting", 3))


@pytest.mark.timeout(600)
def test_a_killed_run_and_a_killed_etcd_go_on_round_after_round(lab: Lab) -> None:
    cases = [*tour(lab, TURNS, ("kill-orchestrator", "kill-etcd"), seed=3)]
    shown = [(case.turn.round, case.fault.name, ended(case)) for case in cases]
    rounds = [turn.round for turn in TURNS]
    assert rounds * 2 == [case.turn.round for case in cases], shown
    assert all(case.is_proved for case in cases), [case.probe for case in cases if not case.is_proved]
    killed = [case for case in cases if case.fault.name == "kill-orchestrator"]
    assert {"killed, resumed"} == {ended(case) for case in killed}
    assert 2 == len(killed), "each round once"
    assert all(case.step.startswith(f"{case.turn.round}/server") for case in cases)
    assert all(case.probe and case.probe.acknowledged > 50 for case in cases)
    assert {"accepting"} == set(Progress.of(events(lab)).states.values())
    assert sum(restarts(lab).values()) >= 3 + 3 + 3, "accept there, back and there again"
