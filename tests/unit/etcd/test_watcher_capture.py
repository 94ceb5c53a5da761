"""How TLS and plain HTTP are distinguished by what a client says: in Perl and in Python alike."""

# ruff: noqa: E501 -- a case is one row of a table
import shutil
import subprocess
import sys

import pytest

from orchestrator.etcd.watching.capturing import PERL, PYTHON

# What was said in hex, whether it is the first thing on its connection, and what it is.
FRAME = "000004 08 00 00000000 0000ffff"  # WINDOW_UPDATE
# fmt: off
CASES = [
    ("16030100c8", True, "https"), ("1603030200", True, "https"), ("16030500c8", True, ""),
    (b"GET /version HTTP/1.1\r\n".hex(), True, "http"), (b"PRI * HTTP/2.0\r\n".hex(), True, "http"),
    (b"QGET /v2/keys".hex(), True, "http"), (b"GETS ".hex(), True, ""), (b"SSH-2.0-x".hex(), True, ""),
    (b"PROXY TCP4 ".hex(), True, ""), ("00", True, ""), ("", True, ""), (FRAME, True, ""),
    ("1703030050", False, "https"), ("1503030002", False, "https"), ("14030300", False, "https"),
    ("1703034200", False, ""), ("18030300", False, ""),  # longer than a record, and no kind of one
    (b"GET /x".hex(), False, "http"), (FRAME, False, "http"),
    ("000008 06 00 00000000", False, "http"), ("000008 06 01 00000000", False, "http"),  # PING, and its answer
    ("000008 06 02 00000000", False, ""), ("000007 06 00 00000000", False, ""), ("000008 06 00 00000001", False, ""),
    ("000010 00 01 00000003", False, "http"), ("000010 00 01 00000002", False, ""), ("000010 00 04 00000003", False, ""),
    ("000010 01 04 00000003", False, "http"), ("000010 01 10 00000003", False, ""), ("004001 01 04 00000003", False, ""),
    ("010010 01 04 00000003", False, ""), ("000010 01 04 80000003", False, ""),
    ("000004 03 00 00000003", False, "http"), ("000004 03 00 00000002", False, ""),
    ("00000c 04 00 00000000", False, "http"), ("00000d 04 00 00000000", False, ""),
    ("000004 09 00 00000000", False, ""), ("000004 08 00 0000", False, ""), ("8f3aa1", False, ""),
]
# fmt: on
FUNCTIONS = {
    "perl": (
        ["perl", "-e"],
        "sub is_frame" + PERL.partition("sub is_frame")[2].partition("\nattach();")[0],
        'while (<STDIN>) { my ($first, $hex) = split / /; chomp $hex; print scheme(pack("H*", $hex), $first), "\\n" }',
    ),
    "python": (
        [sys.executable, "-c"],
        "import re, struct\nPLAIN" + PYTHON.partition("\nPLAIN")[2].partition("\nattach()\n")[0],
        "\nimport sys\nfor line in sys.stdin: print(scheme(bytes.fromhex(line[2:]), line[0] == '1'))",
    ),
}


@pytest.mark.parametrize("language", FUNCTIONS)
def test_both_languages_distinguish_alike(language: str) -> None:
    program, functions, loop = FUNCTIONS[language]
    assert shutil.which(program[0])
    lines = [f"{int(is_first)} {said.replace(' ', '')}" for said, is_first, _ in CASES]
    answer = subprocess.run(
        [*program, functions + loop],
        input="\n".join((*lines, "")),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [(said, is_first, scheme) for said, is_first, scheme in CASES] == [
        (said, is_first, found)
        for (said, is_first, _), found in zip(CASES, answer.stdout.split("\n"), strict=False)
    ]


@pytest.mark.parametrize("text", [PERL, PYTHON])
def test_the_shell_can_hold_it_in_single_quotes(text: str) -> None:
    assert "'" not in text
