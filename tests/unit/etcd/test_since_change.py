"""How long a client has been as it is: the script itself, where systemd's words are made up."""

import os
from pathlib import Path

import pytest
from support.scripts import shell

from orchestrator.etcd.facts.watched import SINCE_CHANGE

PROGRAMS = {
    "systemctl": "printf 'ActiveState=active\\nActiveEnterTimestampMonotonic=%s\\n' \"$ENTERED\"",
    "journalctl": "echo quiet",
}


@pytest.mark.parametrize("is_new", [True, False], ids=["changed", "started"])
def test_it_counts_from_the_later_of_start_and_change(tmp_path: Path, *, is_new: bool) -> None:
    for name, script in PROGRAMS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    file = Path("/etc/passwd")
    if is_new:
        file = tmp_path / "a file"
        file.write_text("new")
    up_s = float(Path("/proc/uptime").read_text().split()[0])
    entered = 0 if is_new else int(up_s * 1e6)
    given = f"PATH={tmp_path}:{os.environ['PATH']}; ENTERED={entered}; export PATH ENTERED\n"
    done = shell(f"{given}set -- 10 patroni '{file}'\n{SINCE_CHANGE}")
    assert (0, "") == (done.returncode, done.stderr)
    first, second = done.stdout.splitlines()
    assert float(first.removeprefix("since ")) < 60.0
    assert second == "unit patroni active cXVpZXQK"


def test_a_file_that_is_gone_is_no_answer(tmp_path: Path) -> None:
    done = shell(f"set -- 10 patroni '{tmp_path}/gone'\n{SINCE_CHANGE}")
    assert (1, "") == (done.returncode, done.stdout)
