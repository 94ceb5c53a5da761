"""Each gate is made to hold always and never, each of its reasons is dropped: its own cases notice.

Gates overlap in a migration, so that one which says nothing any more is masked there by the others.
"""

import importlib
from dataclasses import replace
from types import ModuleType

import pytest
from support.gates import CASES
from support.judging import Case, Stage, failures
from support.mutants import Mutant, mutants

from orchestrator.etcd import checks
from orchestrator.etcd.checks.gate import HostCheck
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.plan.facts import Target

MODULES = sorted({getattr(checks, name).__module__ for name in checks.__all__})
MUTANTS = [
    (module, mutant)
    for module in map(importlib.import_module, MODULES)
    for mutant in mutants(module, checks.__all__)
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("worlds"))


def saying(name: str, said: tuple[Remark, ...]) -> HostCheck:
    def make(target: Target) -> Check:
        gate: Check = getattr(checks, name)(target)
        return replace(gate, predicate=lambda _: said)

    return make


@pytest.mark.parametrize("said", [(), (wrong("never"),)], ids=["always", "never"])
@pytest.mark.parametrize("name", checks.__all__)
def test_a_gate_that_says_always_the_same_is_noticed(
    stage: Stage, name: str, said: tuple[Remark, ...]
) -> None:
    own = [case for case in CASES if case.gate == name]
    assert [] == failures(stage, lambda gate: getattr(checks, gate), own)
    assert [] != failures(stage, lambda gate: saying(gate, said), own)


@pytest.mark.parametrize(("module", "mutant"), MUTANTS, ids=[mutant.name for _, mutant in MUTANTS])
def test_a_reason_that_is_missing_and_a_condition_that_is_none_are_noticed(
    stage: Stage, module: ModuleType, mutant: Mutant
) -> None:
    own = [case for case in CASES if getattr(checks, case.gate) is vars(module).get(case.gate)]
    changed = mutant.load(module)
    assert any(is_noticed(stage, changed, case) for case in own), f"no case notices {mutant.name}"


def is_noticed(stage: Stage, changed: ModuleType, case: Case) -> bool:
    try:
        return bool(failures(stage, lambda gate: vars(changed)[gate], [case]))
    except Exception:  # noqa: BLE001 a mutant that cannot even ask is noticed too
        return True
