"""The table of certificates is what the real etcd does with each kind: tests/cases/certificates.yaml."""

import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from support import kinds
from support.certificates import CASES

START_S, ANSWER_S = 15.0, 4.0


def two_free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def verdict(programs: Path, it: kinds.Files) -> str:
    """Start etcd with the files, and ask it with the same ones: taken, refused or stops."""
    client, peer = (
        f"{scheme}://127.0.0.1:{port}"
        for scheme, port in zip(("https", "http"), two_free_ports(), strict=True)
    )
    flags = {
        "name": "t",
        "data-dir": it.folder / "data",
        "initial-cluster": f"t={peer}",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "cert-file": it.leaf,
        "key-file": it.key,
        "trusted-ca-file": it.ca,
        "client-cert-auth": "true",
    }
    ask: list[str | Path] = [
        *(programs / "etcdctl", f"--endpoints={client}", "--dial-timeout=1s", "--command-timeout=1s"),
        *(f"--cacert={it.ca}", f"--cert={it.leaf}", f"--key={it.key}", "endpoint", "health"),
    ]
    log = it.folder / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [programs / "etcd", *(f"--{name}={value}" for name, value in flags.items())],
            stdout=output,
            stderr=output,
        ) as etcd,
    ):
        try:
            ready = time.monotonic() + START_S
            while "ready to serve client requests" not in log.read_text() and etcd.poll() is None:
                assert time.monotonic() < ready, log.read_text()[-2000:]
                time.sleep(0.05)
            until = time.monotonic() + ANSWER_S
            while time.monotonic() < until:
                if etcd.poll() is not None:
                    return "stops"
                if (
                    subprocess.run(ask, env={"ETCDCTL_API": "3"}, capture_output=True, check=False).returncode
                    == 0
                ):
                    return "taken"
            return "refused"
        finally:
            etcd.kill()


@pytest.mark.parametrize("case", CASES, ids=[case["kind"] for case in CASES])
def test_etcd_does_with_each_kind_what_the_table_says(
    case: dict[str, Any], base_system: Path, tmp_path: Path
) -> None:
    assert case["etcd"] == verdict(base_system / "usr" / "bin", kinds.make(case["kind"], tmp_path))
