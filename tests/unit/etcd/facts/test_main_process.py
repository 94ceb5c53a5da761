"""What the main process of a unit is: asked of the kernel, by the very script that goes to the host."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.etcd.facts import host


@pytest.mark.parametrize(
    ("name", "appended", "expected"),
    [
        ("etcd", b"", "etcd"),
        ("etcd2", b"", "etcd"),
        ("etcd-v3.4.23", b"\0usage\0etcd Version: %s\n\0", "etcd"),
        ("etcd-wrapper", b"", "{folder}/etcd-wrapper"),
        ("sleep", b"", "{folder}/sleep"),
    ],
)
def test_a_program_is_etcd_by_its_name_or_by_what_it_can_print(
    tmp_path: Path, name: str, appended: bytes, expected: str
) -> None:
    program = tmp_path / name
    program.write_bytes(Path(shutil.which("sleep") or "").resolve().read_bytes() + appended)
    program.chmod(0o755)
    process = subprocess.Popen([program, "60"])
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!/bin/sh\ncase $2 in *MainPID*) echo MainPID={process.pid} ;; esac\n")
    systemctl.chmod(0o755)
    try:
        reported = subprocess.run(
            ["sh", "-c", host.HOST, "check", "etcd2"],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    finally:
        process.kill()
        process.wait()
    assert f"program={expected.format(folder=tmp_path)}" in reported.splitlines()
