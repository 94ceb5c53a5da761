"""A unit's variables, as systemd reads them from files and prints them: any text is read as systemd does."""

import string
from collections.abc import Callable
from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import systemd
from support.fuzzing import EXAMPLES

from orchestrator.etcd.checks.unit import seconds
from orchestrator.etcd.install import unit, variables

TEXT = st.text(
    st.one_of(st.sampled_from("ETCD_AB=\"'\\\\$`#; \t\n\n\r=="), st.characters(codec="utf-8")), max_size=80
)
WORD = st.text(
    st.one_of(st.sampled_from("\"'\\$`*?[]() \t\n\r\x1b;&|#~!<>=a"), st.characters(codec="utf-8")),
    max_size=20,
)
NAME = st.text(string.ascii_uppercase + "_", min_size=1, max_size=8)


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(TEXT)
@example("A='b'\\\nc  \nB=\"x\\")
@example("A= \\ \nB=1 \\")
@example("#\\\nA=1")
def test_a_file_is_read_as_systemds_own_machine_reads_it(text: str) -> None:
    expected = {
        name: value
        for name, value in systemd.of_file(text).items()
        if name and set(name) <= set(string.ascii_letters + string.digits + "_") and not name[0].isdigit()
    }
    assert expected == dict(variables.of_file(text))
    assert {name for name in expected if name.startswith("ETCD_")} == unit.variables_of_file(text)


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(st.dictionaries(NAME, WORD, max_size=5))
def test_what_systemctl_prints_is_read_back(meant: dict[str, str]) -> None:
    printed = " ".join(systemd.shown(f"{name}={value}") for name, value in meant.items())
    assert meant == dict(variables.of_show(printed))


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(TEXT)
def test_any_text_is_read_or_refused(text: str) -> None:
    unit.variables_of_drop_in(text)
    readers: tuple[Callable[[str], object], ...] = (seconds, variables.words)
    for read in readers:
        with suppress(ValueError):
            read(text)
