"""Which of its own listeners a member is asked through, found in the environment of its real process."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.etcd.api.words import CURL_TLS, OWN_LISTENER, V2_TLS, V3_TLS, Hindrance, hindrance
from orchestrator.host.questions import Answer


@contextmanager
def running(environment: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"], env={"PATH": os.environ["PATH"], **environment})
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


MATERIAL = ("ca.pem", "server1.pem", "server1-key.pem")


def found(
    folder: Path,
    pid: int,
    shell: str,
    shown: str = 'printf "%s|" "$url" "$@"',
    state: str = "active",
) -> subprocess.CompletedProcess[str]:
    (folder / "systemctl").write_text(f"#!/bin/sh\necho MainPID={pid}\necho ActiveState={state}\n")
    (folder / "systemctl").chmod(0o755)
    (folder / "http:").touch()  # no pattern may be taken for the files that lie about
    return subprocess.run(
        [shell, "-c", f"{OWN_LISTENER}\n{shown}", "check", "etcd2", *MATERIAL, "a b", "*"],
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
        ("https://10.0.0.1:2379, http://10.0.0.2:2379", "http://10.0.0.2:2379"),
    ],
)
def test_the_last_listener_that_speaks_http_is_taken(
    tmp_path: Path, shell: str, urls: str | None, wanted: str
) -> None:
    with running({} if urls is None else {"ETCD_LISTEN_CLIENT_URLS": urls}) as pid:
        reported = found(tmp_path, pid, shell)
    assert (0, f"{wanted}|a b|*|", "") == (reported.returncode, reported.stdout, reported.stderr)


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    ("listens", "advertises", "wanted"),
    [
        ("https://0.0.0.0:2379", "https://a.example:2379", "https://a.example:2379"),
        ("https://10.0.0.1:2379", "https://lb:2379,https://10.0.0.1:2379", "https://10.0.0.1:2379"),
        ("https://0.0.0.0:2379", "http://a:1, https://b:2, https://c:3", "https://b:2"),
        ("https://0.0.0.0:2379,http://127.0.0.1:4001", "https://a:2379", "http://127.0.0.1:4001"),
    ],
)
def test_a_member_without_one_is_asked_as_it_advertises_with_the_files_on_its_host(
    tmp_path: Path, shell: str, listens: str, advertises: str, wanted: str
) -> None:
    for name in MATERIAL:
        (tmp_path / name).touch()
    words = f'printf \'%s|\' "$url" {CURL_TLS} / {V2_TLS} / {V3_TLS} "$@"'
    with running(
        {"ETCD_LISTEN_CLIENT_URLS": listens, "ETCD_ADVERTISE_CLIENT_URLS": advertises, "IFS": ","}
    ) as pid:
        reported = found(tmp_path, pid, shell, words)
    curl = "--cacert|ca.pem|--cert|server1.pem|--key|server1-key.pem|"
    v2 = "--ca-file|ca.pem|--cert-file|server1.pem|--key-file|server1-key.pem|"
    v3 = "--cacert=ca.pem|--cert=server1.pem|--key=server1-key.pem|"
    tls = f"{curl}/|{v2}/|{v3}" if wanted.startswith("https") else "/|/|"
    assert (0, f"{wanted}|{tls}a b|*|", "") == (reported.returncode, reported.stdout, reported.stderr)


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("there", [MATERIAL[:2], MATERIAL], ids=["no key", "nothing advertised over https"])
def test_a_member_that_cannot_be_asked_over_https_is_reported(
    tmp_path: Path, shell: str, there: tuple[str, ...]
) -> None:
    for name in there:
        (tmp_path / name).touch()
    test_a_member_without_one_is_reported(tmp_path, shell)


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


def test_a_member_that_is_just_stopping_is_not_asked(tmp_path: Path) -> None:
    """It has closed its listeners: etcdctl would go on dialling them for seconds."""
    with running({"ETCD_LISTEN_CLIENT_URLS": "http://127.0.0.1:2379"}) as pid:
        reported = found(tmp_path, pid, "sh", state="deactivating")
    assert (3, "etcd2.service is stopping\n") == (reported.returncode, reported.stderr)
    hindered = hindrance(Answer(reported.returncode, "", reported.stderr))
    assert Hindrance("etcd2.service is stopping", "unit") == hindered
