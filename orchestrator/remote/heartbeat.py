"""Signs of life: a peer that answers nothing any more is noticed, and its connection closed."""

import time
from collections.abc import Callable

import paramiko
from paramiko.common import cMSG_GLOBAL_REQUEST
from paramiko.packet import Packetizer

from orchestrator.remote.untrusted import Bounded

_EVERY_S = 3.0
_MISSED = 3  # in a row: noticed within 12 s, and never by the loss of single packets, which TCP sends again


class DeadPeerError(paramiko.SSHException):
    """The peer answers nothing any more."""


class Heart(Packetizer):
    """A transport's packets; ``beat`` is called ten times a second while nothing is heard.

    paramiko's own keepalive asks for no answer, and rests while anything is sent, such as to a host behind.
    """

    beat: Callable[[], None] | None = None

    def _check_keepalive(self) -> None:
        if self.beat is not None:
            self.beat()


def keep_alive(transport: paramiko.Transport, stream: Bounded) -> None:
    """Ask for a sign of life every three seconds of silence, and close the connection if none comes.

    Source: ssh_config(5), "ServerAliveInterval".
    """
    asked_at = time.monotonic()

    def beat() -> None:
        nonlocal asked_at
        now = time.monotonic()
        if now - asked_at < _EVERY_S or not transport.clear_to_send.is_set():  # new keys are being agreed on
            return
        if stream.unanswered >= _MISSED:
            raise DeadPeerError(f"no sign of life for {_EVERY_S * (_MISSED + 1):g} s")
        asked_at = now
        stream.unanswered += 1
        request = paramiko.Message()
        request.add_byte(cMSG_GLOBAL_REQUEST)
        request.add_string("keepalive@openssh.com")
        request.add_boolean(True)  # noqa: FBT003 -- it has no name: whether an answer is wanted
        transport._send_message(request)  # type: ignore[attr-defined]  # noqa: SLF001  # global_request() waits

    transport.packetizer.beat = beat  # type: ignore[attr-defined]  # it is called in the thread that reads
