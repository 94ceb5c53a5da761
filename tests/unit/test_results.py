"""What a test run saw is recorded, or has to be as it was recorded."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from support import results
from support.results import Results


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    moment: str
    codes: tuple[int, ...]
    took_s: float

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.moment


def table() -> Results[Case]:
    return Results("some", Case, compared=("codes",))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)


def test_a_later_run_agrees_in_what_is_compared_and_in_nothing_else() -> None:
    recorded = table()
    for seen in (Case("b", "x", (7, 0), 1.0), Case("a", "x", (), 2.0)):
        with recorded.kept(record=True):
            recorded.add(seen)
    assert [("a", "x"), ("b", "x")] == list(table().written())
    assert Case("b", "x", (7, 0), 1.0) == table().written()["b", "x"]

    again, differs, unknown = table(), table(), table()
    with again.kept(record=False):
        again.add(Case("b", "x", (7, 0), 9.0))
    with pytest.raises(AssertionError, match="run make some"), differs.kept(record=False):
        differs.add(Case("b", "x", (9,), 1.0))
    with pytest.raises(AssertionError, match="not in tests/results"), unknown.kept(record=False):
        unknown.add(Case("c", "x", (), 1.0))


def test_a_name_is_given_once_and_a_run_that_saw_nothing_writes_nothing() -> None:
    seen = table()
    with seen.kept(record=True):
        pass
    assert not seen.path.exists()
    seen.add(Case("a", "x", (), 1.0))
    with pytest.raises(AssertionError, match="one name"):
        seen.add(Case("a", "x", (), 1.0))
