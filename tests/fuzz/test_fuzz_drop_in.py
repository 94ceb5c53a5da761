"""What is written into a drop-in is what systemd reads there, or it is not written at all."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES
from support.systemd import environment

from orchestrator.etcd.install import drop_ins

NASTY = st.text(
    st.one_of(st.sampled_from("\"'\\%$#;=[]{} \t\n\r\0\x1b\u2028\u202e`&|<>*?~^"), st.characters()),
    max_size=40,
)
NAMES = st.one_of(st.from_regex(r"ETCD_[A-Z0-9_]{1,20}", fullmatch=True), NASTY)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.dictionaries(NAMES, NASTY, max_size=4))
@example({"ETCD_NAME": "c\nExecStartPre=+/bin/sh -c 'id >/etc/seen'\n#"})
@example({"ETCD_NAME\nExecStartPre=+/bin/true\n#": "a"})
@example({"ETCD_NAME": "a\\"})
@example({"ETCD_NAME": "100%%n %i"})
def test_systemd_reads_what_was_meant_or_nothing_is_written(variables: dict[str, str]) -> None:
    try:
        text = drop_ins.setting(variables)
    except ValueError:
        assert not all(
            name.isascii() and value.isprintable() for name, value in variables.items()
        ) or not all(
            name.startswith("ETCD_") and name[5:].replace("_", "A").isalnum() and name.isupper()
            for name in variables
        )
        return
    assert variables == environment(text)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "\x1b[31m", "a\u2028b", "\u202egpj", "\udcff"])
def test_what_cannot_stand_in_one_line_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValueError, match="ETCD_NAME holds characters that cannot be printed"):
        drop_ins.setting({"ETCD_NAME": value})
