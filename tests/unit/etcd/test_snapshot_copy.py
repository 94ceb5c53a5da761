"""A member's snapshot on its way to the bastion: nothing of it stays on the host, however that ends."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.targets import target
from support.waiting import until

from orchestrator.etcd import saving
from orchestrator.etcd.api.words import hindrance
from orchestrator.host import places
from orchestrator.host.questions import Answer

# Writes what it was given into the file, as long as there is no file called slow or broken.
ETCDCTL = """#!/bin/sh
for path; do :; done
echo "$ETCDCTL_API|$ETCDCTL_USER|$*" >> asked
echo data > "$path"
while [ -e slow ]; do sleep 0.05; done
[ ! -e broken ] || { echo 'Error: no space left on device' >&2; exit 1; }
echo "Snapshot saved at $path"
"""
SHELLS = [shell for shell in ("sh", "bash") if shutil.which(shell)]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Path]:
    running = subprocess.Popen(
        ["sleep", "60"],
        env={"PATH": os.environ["PATH"], "ETCD_LISTEN_CLIENT_URLS": "http://127.0.0.1:2379"},
    )
    for name, text in (("systemctl", f"#!/bin/sh\necho MainPID={running.pid}\n"), ("etcdctl", ETCDCTL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    try:
        yield tmp_path
    finally:
        running.kill()
        running.wait()


def begun(host: Path, shell: str, path: str | None = None) -> "subprocess.Popen[str]":
    path = path or f"{host}:{os.environ['PATH']}"
    arguments = ["etcd2", "ca", "certificate", "key", str(host / "kept"), "500s"]
    return subprocess.Popen(
        [
            "env",
            "--default-signal=HUP",
            shell,
            "-c",
            saving.SNAPSHOT,
            "check",
            *arguments,
        ],  # even below nohup
        cwd=host,
        env={"PATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_it_is_printed_and_what_was_there_before_stays(host: Path, shell: str) -> None:
    printed = begun(host, shell).communicate("root:secret\n")
    assert "data\n" == printed[0], printed
    assert not (host / "kept").exists()
    (host / "kept/run").mkdir(parents=True)
    assert "data\n" == begun(host, shell).communicate("")[0]
    assert ["run"] == [path.name for path in (host / "kept").iterdir()]
    words = "--endpoints=http://127.0.0.1:2379 --dial-timeout=2s --command-timeout=500s snapshot save"
    asked = (host / "asked").read_text().splitlines()
    assert asked[0].startswith(f"3|root:secret|{words} {host}/kept/snapshot.")
    assert asked[1].startswith(f"3||{words}")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_failure_is_etcdctls_own_and_leaves_nothing(host: Path, shell: str) -> None:
    (host / "broken").touch()
    process = begun(host, shell)
    printed = process.communicate("")
    assert (1, "") == (process.returncode, printed[0])
    assert "Error: no space left on device" == Answer(1, *printed).reason
    assert not (host / "kept").exists()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_one_that_is_ended_in_the_middle_leaves_nothing(host: Path, shell: str, number: int) -> None:
    (host / "slow").touch()
    process = begun(host, shell)
    process.stdin.close()  # type: ignore[union-attr]
    until(lambda: list(host.glob("kept/*/snapshot.db")))
    os.killpg(process.pid, number)  # as timeout does
    process.wait(60)
    for stream in (process.stdout, process.stderr):
        stream.close()  # type: ignore[union-attr]
    process.stdin = None
    assert not (host / "kept").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_host_that_failed_has_kept_goes_the_next_time(host: Path, shell: str) -> None:
    old, new = host / "kept/snapshot.aaaaaa", host / "kept/snapshot.bbbbbb"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "snapshot.db").touch()
    os.utime(old, (0, 0))
    begun(host, shell).communicate("")
    assert [new] == list((host / "kept").iterdir())


def test_a_host_without_etcdctl_says_so(host: Path) -> None:
    (host / "etcdctl").unlink()
    process = begun(host, "sh")
    printed = process.communicate("")
    assert "etcdctl is not installed, or not on PATH" in str(hindrance(Answer(process.returncode, *printed)))
    assert not (host / "kept").exists()


def test_the_larger_it_is_the_longer_it_may_take(tmp_path: Path) -> None:
    small, large = (saving.snapshot(target(tmp_path, {}), tmp_path, size) for size in (1 << 20, 8 << 30))
    assert 500 < small.timeout_s < 600
    assert large.timeout_s > 8000
    assert places.KEPT in small.arguments
