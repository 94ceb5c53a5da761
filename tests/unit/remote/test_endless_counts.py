"""A host that announces more parts of a message than it can hold is refused, and nobody counts them."""

import threading
from pathlib import Path

import paramiko
import pytest
from paramiko.common import MSG_EXT_INFO
from support.ssh_sites import HELLO, make_key
from support.waiting import until
from unit.remote.shells import cluster_of, shims
from unit.remote.sshd import Sshd, reached

from orchestrator.errors import HostUnreachableError
from orchestrator.remote import connecting
from orchestrator.remote.ssh import SshHosts
from orchestrator.remote.transport import Transport


class Counting(paramiko.Transport):
    """A server that announces four thousand million extensions, in a message without one."""

    def _send_message(self, data: paramiko.Message) -> None:
        content = data.asbytes()
        if content[0] == MSG_EXT_INFO:
            data = paramiko.Message(content[:1] + b"\xff\xff\xff\xff")
        super()._send_message(data)  # type: ignore[misc]


class CountingSshd(Sshd):
    transport_class = Counting


def at_work() -> list[str]:
    """The client's threads that still read what a host sent."""
    return [thread.name for thread in threading.enumerate() if type(thread) is Transport]


def test_a_host_that_announces_endless_extensions_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "_HANDSHAKE_S", 2.0)
    monkeypatch.setattr(connecting, "_HURRIED_S", 0.0)  # not three times
    host_keys: list[paramiko.PKey] = [paramiko.PKey.from_path(make_key(tmp_path / "host"))]
    sshd = CountingSshd(
        host_keys, paramiko.PKey.from_path(make_key(tmp_path / "id")), shims(tmp_path / "bin")
    )
    there = reached(sshd, tmp_path)
    try:
        with (
            SshHosts(cluster_of(h1=there), sleep=lambda _: None) as hosts,
            pytest.raises(HostUnreachableError),
        ):
            hosts.look([HELLO])
    finally:
        sshd.stop()
    until(lambda: not at_work(), at_work)
