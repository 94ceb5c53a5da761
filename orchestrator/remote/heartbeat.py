"""Signs of life: a peer that answers nothing any more is noticed, and its connection closed."""

import paramiko
from paramiko.common import cMSG_GLOBAL_REQUEST

from orchestrator.remote.distrust import Bounded

_EVERY_S = 3
_MISSED = 3  # in a row: noticed within 12 s, and never by the loss of single packets, which TCP sends again


def keep_alive(transport: paramiko.Transport, stream: Bounded) -> None:
    """Ask for a sign of life whenever nothing is sent, and close the connection if none comes.

    paramiko's own keepalive asks for no answer. Source: ssh_config(5), "ServerAliveInterval".
    """

    def beat() -> None:
        if stream.unanswered >= _MISSED:
            raise paramiko.SSHException(f"no sign of life for {_EVERY_S * (_MISSED + 1)} s")
        stream.unanswered += 1
        request = paramiko.Message()
        request.add_byte(cMSG_GLOBAL_REQUEST)
        request.add_string("keepalive@openssh.com")
        request.add_boolean(True)  # noqa: FBT003 -- it has no name: whether an answer is wanted
        transport._send_message(request)  # type: ignore[attr-defined]  # noqa: SLF001  # global_request() waits

    transport.packetizer.set_keepalive(_EVERY_S, beat)  # it runs in the thread that reads
