"""Reading PEM files: as many blocks as there are, in a time that grows with the file and no faster."""

import time
from pathlib import Path

import pytest

from orchestrator.lab.provisioning.credentials import Authority
from orchestrator.pki import pem, reading

_MOST_S = 60.0  # the largest file takes some 0.1 s; searching it anew from every line took hours


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN A-----\n",
        "-----END A-----\n-----BEGIN A-----\n",
        "-----BEGIN A-----\n-----END B-----\n",
        "-----BEGIN A-----\n-----END A-----\n",
        "-----BEGIN -----BEGIN ",
    ],
)
def test_the_largest_file_of_beginnings_and_ends_is_read_at_once(line: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text((line * (4 * 1024 * 1024 // len(line)))[: 4 * 1024 * 1024])
    began = time.monotonic()
    try:
        found = len(pem.blocks(path))
    except pem.PemError:
        found = 0
    assert time.monotonic() - began < _MOST_S
    assert ("END" in line and "END B" not in line) == (found > 0)


def test_a_block_ends_at_the_first_end_of_its_own_label(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(
        "-----END A-----\n-----BEGIN LOST-----\nx\n-----BEGIN A-----\nb\n-----END B-----\n-----BEGIN A-----\n"
        "-----END A-----  \r\n-----END A-----\n-----BEGIN C-----\n-----END C-----"
    )
    found = pem.blocks(path)
    assert [("A", 4), ("C", 10)] == [(block.label, block.line) for block in found]
    assert "-----BEGIN A-----\nb\n-----END B-----\n-----BEGIN A-----\n-----END A-----\n" == found[0].text


def test_headers_in_a_block_are_none_of_its_certificate(tmp_path: Path) -> None:
    Authority.make("the CA").write(tmp_path / "ca.pem")
    plain = (tmp_path / "ca.pem").read_text()
    file = tmp_path / "headed.pem"
    begin = "-----BEGIN CERTIFICATE-----\n"
    file.write_text(plain.replace(begin, f"{begin}Proc-Type: 4\nPassword: secret\n\n"))
    assert reading.certificates(file) == reading.certificates(tmp_path / "ca.pem")
    assert plain == pem.certificates(file)
