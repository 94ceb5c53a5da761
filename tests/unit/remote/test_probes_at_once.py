"""Requests to a host's listeners are made at the same time: each takes several turns, however far it is."""

import threading
from pathlib import Path
from typing import ClassVar

import paramiko
from paramiko.common import OPEN_SUCCEEDED
from support.ssh_sites import Site, make_key
from unit.remote.shells import shims
from unit.remote.sshd import Sshd, listening

from orchestrator.host.questions import HttpProbe

AT_ONCE = 3


class Meeting(Sshd):
    """Answers what is asked through tunnels itself, once as many are open as there are requests."""

    together = threading.Barrier(AT_ONCE, timeout=20)
    tunnels: ClassVar[set[int]] = set()

    def check_channel_direct_tcpip_request(
        self,
        chanid: int,
        origin: tuple[str, int],  # noqa: ARG002  # paramiko's signature
        destination: tuple[str, int],  # noqa: ARG002
    ) -> int:
        self.tunnels.add(chanid)
        threading.Thread(target=self._answer, daemon=True).start()
        return OPEN_SUCCEEDED

    def _answer(self) -> None:
        channel = None
        while channel is None or channel.get_id() not in self.tunnels:  # but a session, or another's
            channel = self.transports[-1].accept(1)
        self.together.wait()
        channel.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell")
        channel.close()


def test_requests_to_one_host_are_made_at_the_same_time(tmp_path: Path) -> None:
    ours, theirs = (paramiko.PKey.from_path(make_key(tmp_path / name)) for name in ("id", "host"))
    asked = [HttpProbe("h1", f"http://127.0.0.1:{2379 + number}/health") for number in range(AT_ONCE)]
    with listening([theirs], ours, shims(tmp_path / "bin"), Meeting) as sshd:
        with Site(tmp_path, sshd).executor() as executor:
            answers = executor.look(asked)
        assert ["200\nwell"] * AT_ONCE == [answers[question].stdout for question in asked]
        assert 1 == sshd.logins
