import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from unit.cluster.plan_texts import SHIPPED, SMALL, STRATEGIES, faults

from orchestrator.cluster.loading import load
from orchestrator.errors import PlanInvalidError

LINE = re.compile(r"plan\.yaml:[1-9]\d*:[1-9]\d*: \S[^\n]*: [^\n]+")
WRONG = [
    "", "~", "null", "yes", "true", "0", "-1", "22.5", "1e999", ".nan", "0o9", "1_0", "9" * 5000,
    "2024-13-45", "[]", "{}", "[a, {b: c}]", "{a: b}", "''", '"a\\nb"', '"\\ud800"', '"\\0"',
    "\u00e9", "&a x", "*a", "!x y", "!!int x", "!!binary x", "|", "- x", "? x", "x: y", "{", "]", "'",
    '"', "\t", "%", "@", "`", "{name}", "{nme}.pem", "/", "~x", "x" * 5000, "# x", "\u0000", "\ufeff",
    "\u2028", "---", "...", "!!set {a}", "<<", "!!bool x",
]  # fmt: skip

MORE = """\
proxies:
  - {name: proxy1, address: 198.18.0.111}
watch: {units: [fleet], quiet: 5s, errors: error}
api: auto
"""


def mutants(text: str) -> Iterator[str]:
    lines = text.splitlines(keepends=True)
    for index in range(len(lines)):
        before, after = "".join(lines[:index]), "".join(lines[index + 1 :])
        yield before + after
        yield before + lines[index] * 2 + after
        yield before + "  " + lines[index] + after
    for scalar in re.finditer(r"(?<=: )[^\s,{}\[\]]+|(?<=[{ ])\w+(?=:)|^\w+(?=:)", text, re.MULTILINE):
        for wrong in WRONG:
            yield text[: scalar.start()] + wrong + text[scalar.end() :]


@pytest.mark.parametrize("files", [False, True])
def test_a_damaged_plan_loads_or_names_its_faults_and_nothing_else_happens(
    tmp_path: Path, *, files: bool
) -> None:
    text = "\n".join(line.split(" #")[0] for line in SHIPPED.read_text(encoding="utf-8").splitlines()) + "\n"
    text += MORE
    tried = refused = 0
    for mutant in mutants(text):
        tried += 1
        found = faults(tmp_path, mutant, files=files)
        refused += bool(found)
        assert all(LINE.fullmatch(line) for line in found), (mutant, found)
    assert tried > 1000
    assert refused > tried / 2


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise("abcdefghijklmnop")),
        "a: &a [*a]\n",
        "a: " + "[" * 50_000,
        "a: " + "{a: " * 50_000,
        "- " * 50_000,
    ],
    ids=["aliases", "cycle", "lists", "mappings", "items"],
)  # fmt: skip
def test_a_bomb_is_a_fault_like_any_other(tmp_path: Path, bomb: str) -> None:
    found = faults(tmp_path, bomb)
    assert found
    assert all(LINE.fullmatch(line) for line in found)


def test_a_file_that_is_no_plan_is_refused_with_the_reason(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.mkdir()
    table: list[tuple[Path, bytes, str]] = [
        (plan, b"", "1:1: plan: cannot be read: Is a directory; check the path"),
        (tmp_path / "big", b"#" * 600_000, "1:1: plan: is larger than 512 KiB: name a plan file"),
        (tmp_path / "latin", b"a: b\nc: d\xe9\n", "2:5: plan: is not UTF-8 text: save it as UTF-8"),
        (Path("nul\0"), b"", "1:1: plan: cannot be read: embedded null byte; check the path"),
    ]
    for path, content, expected in table:
        if content:
            path.write_bytes(content)
        with pytest.raises(PlanInvalidError) as caught:
            load(path, STRATEGIES)
        assert caught.value.faults == (f"{path}:{expected}",)


def test_a_plan_saved_with_a_byte_order_mark_and_windows_line_ends_loads(tmp_path: Path) -> None:
    assert faults(tmp_path, "\ufeff" + SMALL.replace("\n", "\r\n")) == []
