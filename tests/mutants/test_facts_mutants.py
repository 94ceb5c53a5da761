"""Each condition of a reader is made to hold always and never: the table of its fact notices."""

import importlib
from types import ModuleType

import pytest
from support.facts import TABLES, failure, member_in
from support.mutants import Mutant, mutants

from orchestrator.plan.facts import Target

MODULES = {name: importlib.import_module(f"orchestrator.etcd.facts.{name}") for name in TABLES}
ASK = {"_probe", "bundle"}  # their conditions are about what is asked, and cases of gates tell of that
MUTANTS = [
    (name, mutant) for name, module in MODULES.items() for mutant in mutants(module, TABLES[name], ASK)
]


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Target:
    return member_in(tmp_path_factory.mktemp("site"))


@pytest.mark.parametrize(("name", "mutant"), MUTANTS, ids=[mutant.name for _, mutant in MUTANTS])
def test_a_condition_of_a_reader_that_is_none_is_noticed(name: str, mutant: Mutant, member: Target) -> None:
    assert is_noticed(name, mutant.load(MODULES[name]), member)


def is_noticed(name: str, changed: ModuleType, member: Target) -> bool:
    try:
        return any(
            failure(vars(changed)[which], member, case)
            for which, cases in TABLES[name].items()
            for case in cases
        )
    except Exception:  # noqa: BLE001 a mutant that cannot even ask is noticed too
        return True
