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
from unit.remote.test_ssh_executor import make_key

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
        self.listeners[0].settimeout(30)
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
    path, port = tmp_path / "plan.yaml", mute.port
    members = [
        f"  - {{name: server{end}, address: 198.18.0.10{end}, ssh: {{host: 127.0.0.{end}, port: {port}}}}}"
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("status",),
        ("backup",),
        ("recover",),
        ("unlock",),
        ("unlock", "ab12", "--yes"),
        ("files", "server1"),
        ("run", "--dry-run"),
        ("run", "--yes"),
    ],
    ids=" ".join,
)
def test_who_only_looks_is_left_at_once(
    plan: Path, mute: Mute, arguments: tuple[str, ...], number: signal.Signals
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
        _, said = process.communicate(timeout=30)
        took_s = time.monotonic() - sent
    finally:
        process.kill()
        process.wait()
    assert (128 + number, LEFT) == (process.returncode, said)
    assert took_s < 6.0, "a second, and a busy machine may take some more"
    assert not list(plan.parent.glob("*.jsonl*"))


def test_ctrl_c_before_anything_was_begun_is_no_traceback(plan: Path) -> None:
    """At whatever moment of its start: a random few of them."""
    for number in range(8):
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", "table"],
            cwd=plan.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(0.05 + 0.06 * number)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert "Traceback" not in said or number == 0, said  # Python itself was not up yet
        assert process.returncode in {0, 130, -signal.SIGINT}
