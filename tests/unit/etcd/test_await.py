"""A restart is waited for on the host: until systemd has done it, and not for longer than 5 s."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from orchestrator.etcd.actions import AWAIT


def awaited(folder: Path, systemctl: str) -> float:
    (folder / "systemctl").write_text(f"#!/bin/sh\n{systemctl}\n")
    (folder / "systemctl").chmod(0o755)
    path = {"PATH": f"{folder}:{os.environ['PATH']}"}
    began = time.monotonic()
    subprocess.run(["sh", "-c", AWAIT, "await", "etcd2.service"], cwd=folder, env=path, check=True)
    return time.monotonic() - began


def test_it_goes_on_as_soon_as_there_is_no_job_left(tmp_path: Path) -> None:
    asked = '[ "$*" = "show --property=Job --value etcd2.service" ] || exit 1; echo . >>asked'
    awaited(tmp_path, f"{asked}; [ $(wc -l <asked) -gt 3 ] || echo 4711")
    assert len((tmp_path / "asked").read_text().splitlines()) == 4


@pytest.mark.parametrize("slow", ["", "sleep 0.5; "])
def test_it_gives_up_after_a_time_and_not_after_a_number_of_looks(tmp_path: Path, slow: str) -> None:
    assert 4 <= awaited(tmp_path, f"{slow}echo 4711") < 30
