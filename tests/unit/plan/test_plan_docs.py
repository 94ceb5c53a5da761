import re
from pathlib import Path
from types import NoneType
from typing import get_args

from unit.plan.plan_texts import SMALL, faults

from orchestrator.plan.fields import table
from orchestrator.plan.kinds import Section
from orchestrator.plan.model import Cluster
from orchestrator.plan.plan import SECTIONS, fields

DOCS = Path(__file__).parents[3] / "docs" / "plan-file.md"


def sections(model: type[Section], path: str) -> dict[str, type[Section]]:
    found = {path: model}
    for name, field in fields(model).items():
        inner = f"{path}.{name}".removeprefix(".")
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Section):
                is_one = kind is field.annotation or NoneType in get_args(field.annotation)
                found |= sections(kind, inner if is_one else f"{inner}.*")
    return found


def test_the_table_of_sections_is_complete() -> None:
    assert sections(Cluster, "") == dict(SECTIONS)


def test_every_field_has_a_meaning_and_an_example() -> None:
    described = [
        (path, name, field) for path, each in SECTIONS.items() for name, field in fields(each).items()
    ]
    assert [
        (path, name) for path, name, field in described if not (field.description and field.examples)
    ] == []


def test_every_field_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")  # what stands there is compared by test_documents.py
    assert text.count("<!-- fields all -->") == 1
    rows = [row for row in table().splitlines() if row.startswith("| `")]
    assert [row for row in rows if row not in text and not is_reported_by_what_it_replaces(row, text)] == []
    assert [path for path in SECTIONS if path and f"### `{path.replace('.*', '[]')}`\n" not in text] == []


def is_reported_by_what_it_replaces(row: str, text: str) -> bool:
    found = re.search(r"Instead of `(\w+)\.(\w+)`", row)
    return bool(found and re.search(rf"instead of those in `{found[1]}`: .*`{found[2]}`", text))


def test_the_documented_examples_load(tmp_path: Path) -> None:
    whole, *parts = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert faults(tmp_path, whole) == []
    assert [faults(tmp_path, SMALL + part) for part in parts] == [[], []]
