"""Variables as systemd reads them: tests/live/test_odd_hosts.py asks systemd itself for the same table."""

import pytest
from support.systemd import ENVIRONMENT_FILE, READ_FROM_IT, of_file

from orchestrator.etcd.install import variables


def test_a_file_for_environment_file_is_read_as_systemd_reads_it() -> None:
    assert READ_FROM_IT == dict(variables.of_file(ENVIRONMENT_FILE))
    assert READ_FROM_IT == {
        name: value for name, value in of_file(ENVIRONMENT_FILE).items() if " " not in name
    }


@pytest.mark.parametrize(
    "text", ["", "\n", "=", "=x", "A", "#A=1", "A B=1", "1A=1", "export A=1", " ;A=1 \\"]
)
def test_what_is_no_assignment_sets_nothing(text: str) -> None:
    assert {} == dict(variables.of_file(text))


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("", {}),
        ("A= B=b,c=http://x:1", {"A": "", "B": "b,c=http://x:1"}),
        (r'"A=\$HOME \\ back" "B=its \"q\"" C=ünï', {"A": "$HOME \\ back", "B": 'its "q"', "C": "ünï"}),
        (r'"A=a\nb" "B=a\tb" "C=\`x\`"', {"A": "a\nb", "B": "a\tb", "C": "`x`"}),
        (r'"D=a;b#c" "E=\033x"', {"D": "a;b#c", "E": "\x1bx"}),
    ],
)  # fmt: skip
def test_what_systemctl_show_prints_is_read_as_it_was_meant(printed: str, expected: dict[str, str]) -> None:
    assert expected == dict(variables.of_show(printed))


def test_a_quote_that_is_left_open_is_no_answer() -> None:
    with pytest.raises(ValueError, match="left open"):
        variables.words('A=1 "B=2')
