"""Channels that a host refuses at the same time, each with a reason of its own."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest
from support.ssh_sites import make_key
from unit.remote.shells import shims
from unit.remote.sshd import Sshd, listening, reached

from orchestrator.remote.connecting import connect
from orchestrator.remote.route import route
from orchestrator.remote.unlocking import Unlocked

CODES = (1, 2, 4)  # RFC 4254, 5.1: prohibited, connect failed, resource shortage
AT_ONCE = 12
LATE, LATE_S = 9, 0.6  # a code that is none of them, and comes late


class Refusing(Sshd):
    """Refuses every tunnel with the code that is the port asked for."""

    def check_channel_direct_tcpip_request(
        self,
        chanid: int,  # noqa: ARG002  # paramiko's signature
        origin: tuple[str, int],  # noqa: ARG002
        destination: tuple[str, int],
    ) -> int:
        time.sleep(LATE_S if destination[1] == LATE else 0)
        return destination[1]


@pytest.fixture
def transport(tmp_path: Path) -> Iterator[paramiko.Transport]:
    ours = paramiko.PKey.from_path(make_key(tmp_path / "id"))
    host_key = paramiko.PKey.from_path(make_key(tmp_path / "host"))
    with listening([host_key], ours, shims(tmp_path / "bin"), Refusing) as sshd:
        login = route("h1", reached(sshd, tmp_path)).target
        yield connect("h1", login, lambda: socket.create_connection((login.host, login.port)), Unlocked())


def test_each_of_many_that_are_refused_at_once_hears_its_own_reason(transport: paramiko.Transport) -> None:
    def reason(code: int) -> int | str:
        try:
            transport.open_channel("direct-tcpip", ("127.0.0.1", code), ("127.0.0.1", 0), timeout=10)
        except paramiko.ChannelException as error:
            return error.code
        except paramiko.SSHException as error:
            return str(error)
        return 0

    asked = [CODES[number % len(CODES)] for number in range(AT_ONCE * 40)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert list(pool.map(reason, asked)) == asked


def test_a_refusal_that_comes_too_late_is_nobodys_reason(transport: paramiko.Transport) -> None:
    with pytest.raises(paramiko.SSHException, match="Timeout"):
        transport.open_channel("direct-tcpip", ("127.0.0.1", LATE), ("127.0.0.1", 0), timeout=0.2)
    time.sleep(2 * LATE_S)
    assert transport.get_exception() is None
