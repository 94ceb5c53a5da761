"""journalctl does not know an alias (Debian's etcd2 is etcd.service): it is asked by the unit's own name."""

import base64
import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.etcd.facts import process, watched

SYSTEMCTL = """#!/bin/sh
case "$*" in
*--property=Id*) echo etcd.service ;;
*--property=MainPID*--value* | *--value*--property=MainPID*) echo 0 ;;
esac
"""
JOURNALCTL = """#!/bin/sh
case "$*" in *--unit=etcd.service*) echo 'bind: address already in use' ;; esac
"""


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        (process.SCRIPT, ("etcd2",)),
        (watched.SINCE_RESTART, ("etcd2", "10", "etcd2")),
        (watched.UNITS, ("10", "etcd2")),
    ],
)
def test_the_journal_of_an_alias_is_found(tmp_path: Path, script: str, arguments: tuple[str, ...]) -> None:
    for name, text in (("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    found = subprocess.run(
        ["sh", "-c", script, "ask", *arguments],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert base64.b64encode(b"bind: address already in use\n").decode() in found.stdout
