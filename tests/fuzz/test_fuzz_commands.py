"""Commands of units and files of variables: any text is read or refused, and ours are read as meant."""

import string
from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES
from support.systemd import of_file

from orchestrator.etcd import effective
from orchestrator.etcd.install import command, config_file, environment_file, flags, unit

TEXT = st.text(
    st.one_of(st.sampled_from("\"'\\$%{}=- \t\n;&|#[]a"), st.characters(codec="utf-8")), max_size=60
)
LINE = TEXT.filter(str.isprintable)
NAME = st.text(string.ascii_uppercase, min_size=1, max_size=6).map(lambda text: f"ETCD_{text}")


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(TEXT)
@example("[Service]\nExecStart=a\\")
def test_any_unit_is_read_or_refused(text: str) -> None:
    for line in (text, *unit.values(f"[Service]\nExecStart={text}", "ExecStart")):
        flags.unserved((line,))
        with suppress(ValueError):
            command.words(line)
    with suppress(ValueError):
        effective.of_configuration(text)


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(LINE)
def test_a_word_is_read_as_it_was_meant(word: str) -> None:
    if word:
        assert ("etcd", word) == command.expanded(f"etcd {command.quoted(word)}", {"a": "b"})


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.dictionaries(NAME, LINE, max_size=3), st.dictionaries(NAME, LINE, max_size=3))
def test_a_restated_command_has_the_flags_that_were_meant(
    theirs: dict[str, str], ours: dict[str, str]
) -> None:
    words = [command.quoted(f"--{effective.flag(name)}={value}") for name, value in theirs.items()]
    reported = flags.restated(" \\\n ".join(["/usr/bin/etcd", *words]), ours)
    assert {**theirs, **ours} == effective.flags(command.expanded(reported, {}) or ())


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.dictionaries(NAME, LINE, max_size=4))
def test_a_file_of_variables_holds_what_was_meant(meant: dict[str, str]) -> None:
    assert meant == of_file(environment_file.text(meant))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.dictionaries(NAME, LINE, max_size=4))
def test_a_copy_of_a_configuration_file_holds_what_was_meant(meant: dict[str, str]) -> None:
    text = config_file.changed("name: a  # mine\npeer-transport-security: {auto-tls: true}\n", meant)
    reported = effective.of_configuration(text)
    assert meant == {name: reported[name] for name in meant}
