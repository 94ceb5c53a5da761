import os
import re
import socket
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from unit.plan.plan_texts import SHIPPED, SMALL, STRATEGIES, faults

from orchestrator.errors import PlanInvalidError
from orchestrator.plan.loading import load

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
        (tmp_path / "nul\0", b"", "1:1: plan: cannot be read: embedded null byte; check the path"),
    ]
    for path, content, expected in table:
        if content:
            path.write_bytes(content)
        with pytest.raises(PlanInvalidError) as caught:
            load(path, STRATEGIES)
        assert caught.value.faults == (f"{path}:{expected}".replace("\0", "\\x00"),)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link to a pipe"])
def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path, listener = tmp_path / "plan.yaml", socket.socket(socket.AF_UNIX)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        listener.bind(str(path))
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to("pipe")
    with listener, pytest.raises(PlanInvalidError) as caught:
        load(path, STRATEGIES)
    why = "No such device or address" if kind == "socket" else "it is not a plain file"
    assert caught.value.faults == (f"{path}:1:1: plan: cannot be read: {why}; check the path",)
    assert caught.value.exit_code == 3


@pytest.mark.timeout(20)
def test_a_file_that_never_ends_is_read_no_further_than_a_plan_goes(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(PlanInvalidError) as caught:
        load(path, STRATEGIES)
    assert caught.value.faults == (f"{path}:1:1: plan: is larger than 512 KiB: name a plan file",)


@pytest.mark.timeout(20)
def test_a_pipe_that_a_plan_names_is_a_fault(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ca.pem")
    (line,) = [line for line in faults(tmp_path, SMALL, files=True) if "tls.ca:" in line]
    assert "is not a plain file" in line


@pytest.mark.parametrize("files", [False, True])
def test_without_a_home_the_plan_has_to_name_its_files_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, files: bool
) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_123_000)
    why = "is in no known place, for this user has no home directory: set HOME, or write the whole path"
    default = f"plan.yaml:1:1: ssh.known_hosts: '~/.ssh/known_hosts' {why}"
    assert default in faults(tmp_path, SMALL, files=files)
    written = faults(tmp_path, SMALL.replace("ca.pem", "~/ca.pem") + "ssh: {known_hosts: kh}\n", files=files)
    assert f"plan.yaml:7:7: tls.ca: '~/ca.pem' {why}" in written
    own = SMALL.replace("{name: a,", "{name: a, key: ~/a, ") + "ssh: {known_hosts: kh}\n"
    assert f"plan.yaml:3:20: members.0.key: '~/a' {why}" in faults(tmp_path, own, files=files)
    shared = SMALL.replace('"{name}.key"', "~/{name}") + "ssh: {known_hosts: kh}\n"
    assert f"plan.yaml:9:8: tls.key: '~/{{name}}' {why}" in faults(tmp_path, shared, files=files)


def test_a_plans_own_path_is_escaped_where_it_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J\nb"
    with pytest.raises(PlanInvalidError) as caught:
        load(path, STRATEGIES)
    (line,) = caught.value.faults
    assert line.startswith(f"{tmp_path}/a\\x1b[2J\\nb:1:1: plan: cannot be read")


def test_a_plan_saved_with_a_byte_order_mark_and_windows_line_ends_loads(tmp_path: Path) -> None:
    assert faults(tmp_path, "\ufeff" + SMALL.replace("\n", "\r\n")) == []
