"""Messages of several sentences: a line each for people, one line in a record."""

import pytest

from orchestrator.text import in_one_line, laid_out


@pytest.mark.parametrize(
    ("sentences", "lines"),
    [
        ((), ""),
        (("no room",), "no room"),
        (
            ("accept/server2: no", "", "server2 still stands in 'bridged'"),
            "accept/server2: no\n  server2 still stands in 'bridged'",
        ),
    ],
)
def test_each_sentence_has_its_line(sentences: tuple[str, ...], lines: str) -> None:
    assert lines == laid_out(*sentences)


def test_a_record_holds_one_line() -> None:
    inner = laid_out("accept/server2: no", "the cluster is healthy")
    assert "accept/server2: no; the cluster is healthy; Go on" == in_one_line(laid_out(inner, "Go on"))
