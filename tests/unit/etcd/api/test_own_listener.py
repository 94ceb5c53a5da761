"""Which of its own listeners a member is asked through, found in the environment of its real process."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.etcd.api.words import OWN_LISTENER, Hindrance, hindrance
from orchestrator.host.questions import Answer


@contextmanager
def running(environment: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"], env={"PATH": os.environ["PATH"], **environment})
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def found(folder: Path, pid: int, shell: str) -> subprocess.CompletedProcess[str]:
    (folder / "systemctl").write_text(f"#!/bin/sh\necho {pid}\n")
    (folder / "systemctl").chmod(0o755)
    (folder / "http:").touch()  # no pattern may be taken for the files that lie about
    return subprocess.run(
        [shell, "-c", f'{OWN_LISTENER}\nprintf "%s|" "$url" "$@"', "check", "etcd2", "a b", "*"],
        cwd=folder,
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    ("urls", "wanted"),
    [
        (None, "http://localhost:2379"),
        ("", "http://localhost:2379"),
        ("http://0.0.0.0:2379", "http://127.0.0.1:2379"),
        ("http://[::]:2379", "http://[::1]:2379"),
        ("http://10.0.0.1:2379,http://127.0.0.1:4001", "http://127.0.0.1:4001"),
        ("https://0.0.0.0:2379,http://127.0.0.1:4001", "http://127.0.0.1:4001"),
        ("http://0.0.0.0:4001,https://10.0.0.1:2379", "http://127.0.0.1:4001"),
        ("http://10.0.0.0:2379", "http://10.0.0.0:2379"),
    ],
)
def test_the_last_listener_that_speaks_http_is_taken(
    tmp_path: Path, shell: str, urls: str | None, wanted: str
) -> None:
    with running({} if urls is None else {"ETCD_LISTEN_CLIENT_URLS": urls}) as pid:
        reported = found(tmp_path, pid, shell)
    assert (0, f"{wanted}|a b|*|", "") == (reported.returncode, reported.stdout, reported.stderr)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_member_without_one_is_reported(tmp_path: Path, shell: str) -> None:
    with running({"ETCD_LISTEN_CLIENT_URLS": "https://0.0.0.0:2379"}) as pid:
        reported = found(tmp_path, pid, shell)
    assert reported.returncode == 3
    assert "etcd2.service has no http listener: https://0.0.0.0:2379" in reported.stderr


def test_a_unit_without_a_process_is_reported(tmp_path: Path) -> None:
    reported = found(tmp_path, 0, "sh")
    assert (3, "etcd2.service has no running process (systemctl start etcd2.service)\n") == (
        reported.returncode,
        reported.stderr,
    )
    hindered = hindrance(Answer(reported.returncode, "", reported.stderr))
    assert Hindrance("etcd2.service has no running process", "unit") == hindered
