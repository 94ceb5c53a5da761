"""What hosts print, and the value that is read out of it: tests/cases/facts, a file for each module."""

from pathlib import Path

import pytest
from support.facts import TABLES, Case, failure, made, member_in

CASES = [
    pytest.param(f"{module}.{name}", case, id=f"{module}.{name}: {case['case']}")
    for module, table in TABLES.items()
    for name, cases in table.items()
    for case in cases
]


@pytest.mark.parametrize(("which", "case"), CASES)
def test_an_answer_is_read_as_its_case_says(which: str, case: Case, tmp_path: Path) -> None:
    assert failure(made()[which], member_in(tmp_path), case) is None


def test_every_fact_has_a_case() -> None:
    assert set(made()) == {f"{module}.{name}" for module, table in TABLES.items() for name in table}
