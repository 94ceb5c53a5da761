"""Ctrl-C and SIGTERM while a command only looks: it ends at once, and says that nothing was changed."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.ssh_sites import make_key

from orchestrator.commands.certs import make

ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
LEFT = "interrupted; nothing was changed.\n"


class Mute:
    """Three hosts that take every connection and never say a word."""

    def __init__(self, stack: ExitStack) -> None:
        first = stack.enter_context(socket.create_server((ADDRESSES[0], 0)))
        self.port: int = first.getsockname()[1]
        others = (socket.create_server((address, self.port)) for address in ADDRESSES[1:])
        self.listeners = [first, *map(stack.enter_context, others)]
        self.taken: list[socket.socket] = []

    def wait_for_a_call(self) -> None:
        self.listeners[0].settimeout(60)
        self.taken.append(self.listeners[0].accept()[0])


@pytest.fixture
def mute() -> Iterator[Mute]:
    with ExitStack() as stack:
        hosts = Mute(stack)
        yield hosts
        for sock in hosts.taken:
            sock.close()


@pytest.fixture
def plan(tmp_path: Path, mute: Mute) -> Path:
    path = tmp_path / "plan.yaml"
    members = [
        f"  - {{name: s{end}, address: 198.18.0.10{end}, ssh: {{host: 127.0.0.{end}, port: {mute.port}}}}}"
        for end in (1, 2, 3)
    ]
    path.write_text(
        "\n".join(
            [
                "cluster: three-members",
                "members:",
                *members,
                "ssh: {user: root, identity_file: id, known_hosts: known_hosts}",
                "tls:",
                "  ca: pki/ca.pem",
                "  certificate: pki/{name}.pem",
                "  key: pki/{name}-key.pem",
                "  client_certificate: pki/client.pem",
                "  client_key: pki/client-key.pem",
                "  directory: /etc/etcd2",
                "",
            ]
        )
    )
    make_key(tmp_path / "id")
    (tmp_path / "known_hosts").write_text("")
    make(path, renew=False, key_type="ec", days=30, ca_days=30, sans=[])
    return path


@pytest.mark.parametrize(
    ("number", "arguments"),
    [
        (signal.SIGTERM, ("status",)),
        (signal.SIGTERM, ("run", "--yes")),
        (signal.SIGINT, ("check",)),
        (signal.SIGINT, ("status",)),
        (signal.SIGINT, ("backup",)),
        (signal.SIGINT, ("recover",)),
        (signal.SIGINT, ("unlock",)),
        (signal.SIGINT, ("unlock", "ab12", "--yes")),
        (signal.SIGINT, ("files", "s1")),
        (signal.SIGINT, ("run", "--dry-run")),
        (signal.SIGINT, ("run", "--yes")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value.name,
)
def test_who_only_looks_is_left_at_once(
    plan: Path, mute: Mute, number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    verb, *more = arguments
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", verb, "plan.yaml", *more],
        cwd=plan.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        mute.wait_for_a_call()
        sent = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        took_s = time.monotonic() - sent
    finally:
        process.kill()
        process.wait()
    assert (128 + number, LEFT) == (process.returncode, said)
    assert took_s < 12.0, "a second, and a busy machine may take some more"
    assert not list(plan.parent.glob("*.jsonl*"))


def test_ctrl_c_while_the_program_starts_is_no_traceback() -> None:
    """At a few moments of the time that it takes to load."""
    probe = "import os, sys, orchestrator.__main__ as program; os.write(1, b'up'); program.main()"
    for number in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", probe, "table"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert b"up" == process.stdout.read(2)
        time.sleep(0.03 + 0.07 * number)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert said in {b"", b"interrupted\n"}
        assert process.returncode in {0, 130, -signal.SIGINT}


def test_a_terminal_that_goes_away_unwinds_a_command_that_has_no_session(tmp_path: Path) -> None:
    """So that what ``certs`` was writing is cleaned up; ``nohup`` keeps it going, as it always does."""
    probe = (
        "import sys, time; from orchestrator.cli import main;"
        "main._called = lambda: (print('up', flush=True), time.sleep(2), 0)[2]; main.main()"
    )
    for inherited, expected in ((signal.SIG_DFL, 128 + signal.SIGHUP), (signal.SIG_IGN, 0)):
        process = subprocess.Popen(
            [sys.executable, "-c", f"import signal; signal.signal(signal.SIGHUP, {int(inherited)}); {probe}"],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        assert b"up\n" == process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
        assert expected == process.returncode
