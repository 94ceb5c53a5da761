"""Everything that can be printed can be explained."""

import inspect

import pytest

from orchestrator import errors
from orchestrator.errors import ENDINGS, OrchestratorError, UsageError
from orchestrator.etcd import checks
from orchestrator.migrations import MIGRATIONS
from orchestrator.report.explaining import every, explained
from orchestrator.report.tables import words

CODES = {
    one.exit_code
    for _, one in inspect.getmembers(errors, inspect.isclass)
    if issubclass(one, OrchestratorError)
}
STATES = {state.name for one in MIGRATIONS.values() for state in one.states}
ROUNDS = {round_.name for one in MIGRATIONS.values() for round_ in one.rounds}
ITEMS = {item.name for one in MIGRATIONS.values() for item in one.preflight}
GATES = {words(getattr(checks, name)) for name in checks.__all__}


def test_every_exit_code_is_explained() -> None:
    assert CODES | {0, 2, 8} == ENDINGS.keys()


@pytest.mark.parametrize("word", sorted(STATES | ROUNDS | ITEMS | GATES | {str(code) for code in ENDINGS}))
def test_what_is_printed_is_explained_with_what_to_do(word: str) -> None:
    text = explained(word)

    assert text.startswith(f"{word} (")
    assert "overnight?" in text
    assert "What now:" in text


def test_nothing_is_left_unsaid() -> None:
    silent = [one.word for one in every() if not (one.meaning and one.overnight and all(one.now))]

    assert [] == silent


def test_every_state_says_yes_or_no_for_the_night() -> None:
    states = {state for one in MIGRATIONS.values() for state in one.states}

    assert set() == {one.name for one in states if not one.overnight.startswith(("Yes", "No"))}
    assert {"announced", "secured"} == {one.name for one in states if one.overnight.startswith("No")}


def test_a_word_of_two_kinds_is_explained_in_both() -> None:
    text = explained("watch")

    assert "watch (round of guide)" in text
    assert "watch (check)" in text


@pytest.mark.parametrize("word", ["gate: serving_http", "Serving HTTP", "serving http"])
def test_a_word_may_be_written_as_it_is_printed(word: str) -> None:
    assert explained(word).startswith("serving http (gate)")


def test_a_word_may_be_called_what_it_is() -> None:
    assert explained("exit code 9") == explained("9")


@pytest.mark.parametrize(("word", "nearest"), [("seald", "'sealed'"), ("racks lag", "'raft lag'")])
def test_an_unknown_word_brings_the_nearest(word: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=nearest):
        explained(word)


def test_a_word_that_nothing_looks_like_brings_the_kinds_and_no_control_character() -> None:
    with pytest.raises(UsageError) as refused:
        explained("\x1b[2J")

    assert "\x1b" not in str(refused.value)
