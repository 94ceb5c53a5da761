import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from orchestrator.operations import Knock
from orchestrator.remote.knock import REFUSED, UNKNOWN, ChannelRefusedError, knock

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"health":true}'


@contextmanager
def listening(answer: bytes) -> Iterator[Knock]:
    """A listener that reads one request, answers, and hangs up."""

    def serve() -> None:
        stream, _ = listener.accept()
        with stream:
            stream.recv(4096)
            stream.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield Knock("h1", f"http://127.0.0.1:{listener.getsockname()[1]}/health")
        thread.join()


def dial(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port))


def test_a_listener_that_answers_is_quoted() -> None:
    with listening(ANSWER) as question:
        answer = knock(question, dial)
    assert (0, '200\n{"health":true}') == (answer.exit_status, answer.stdout)


def test_a_listener_that_hangs_up_refuses() -> None:
    with listening(b"") as question:
        answer = knock(question, dial)
    assert answer.exit_status == REFUSED
    assert "closed" in answer.stderr


def test_where_nobody_listens_the_knock_is_refused() -> None:
    def nobody(*_: object) -> socket.socket:
        raise ChannelRefusedError("10.0.0.1:2379")

    assert knock(Knock("h1", "http://127.0.0.1:1/"), nobody).exit_status == REFUSED


def test_without_a_tunnel_nothing_is_known() -> None:
    def no_tunnel(*_: object) -> socket.socket:
        raise OSError("the connection is gone")

    assert knock(Knock("h1", "http://127.0.0.1:1/"), no_tunnel).exit_status == UNKNOWN


class Dying:
    """A tunnel over a connection that dies at one of its calls, as paramiko tells of it."""

    def __init__(self, moment: str) -> None:
        self.moment = moment
        self.left = [ANSWER]

    def _live(self, moment: str) -> None:
        if moment == self.moment:
            raise EOFError

    def settimeout(self, timeout: float | None) -> None:
        pass

    def sendall(self, data: bytes) -> None:  # noqa: ARG002
        self._live("sendall")

    def recv(self, size: int) -> bytes:  # noqa: ARG002
        self._live("recv")
        return self.left.pop() if self.left else b""

    def close(self) -> None:
        self._live("close")


@pytest.mark.parametrize(
    ("scheme", "moment", "exit_status"),
    [
        ("http", "sendall", REFUSED),
        ("http", "recv", REFUSED),
        ("http", "close", 0),
        ("https", "sendall", REFUSED),
        ("https", "recv", REFUSED),
    ],
)
def test_a_connection_that_dies_under_a_knock_raises_nothing(
    scheme: str, moment: str, exit_status: int
) -> None:
    answer = knock(Knock("h1", f"{scheme}://10.0.0.1:2379/health"), lambda *_: Dying(moment))
    assert exit_status == answer.exit_status
