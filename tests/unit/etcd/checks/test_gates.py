"""Each gate judged alone, by its own cases: whichever gates mask each other in a migration."""

import pytest
from support.gates import CASES
from support.judging import Case, Stage, failures

from orchestrator.etcd import checks


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("worlds"))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_gate_says_what_its_case_says(stage: Stage, case: Case) -> None:
    assert [] == failures(stage, lambda name: getattr(checks, name), [case])


@pytest.mark.parametrize("name", checks.__all__)
def test_every_gate_has_a_case_in_which_it_holds_and_one_in_which_it_does_not(name: str) -> None:
    own = [case for case in CASES if case.gate == name]
    assert {True, False} == {case.refused is None for case in own}
