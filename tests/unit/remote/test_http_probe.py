import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from orchestrator.host.questions import HttpProbe
from orchestrator.remote.http_probe import REFUSED, UNKNOWN, ChannelRefusedError, probe

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"health":true}'


@contextmanager
def listening(answer: bytes) -> Iterator[HttpProbe]:
    """A listener that reads one request, answers, and hangs up."""

    def serve() -> None:
        stream, _ = listener.accept()
        with stream:
            stream.recv(4096)
            with suppress(OSError):  # whoever has read enough hangs up
                stream.sendall(answer)
                stream.shutdown(socket.SHUT_WR)
                stream.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield HttpProbe("h1", f"http://127.0.0.1:{listener.getsockname()[1]}/health")
        thread.join()


def dial(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port))


def test_a_listener_that_answers_is_quoted() -> None:
    with listening(ANSWER) as question:
        answer = probe(question, dial)
    assert (0, '200\n{"health":true}') == (answer.exit_status, answer.stdout)


def test_a_listener_that_hangs_up_refuses() -> None:
    with listening(b"") as question:
        answer = probe(question, dial)
    assert answer.exit_status == REFUSED
    assert "closed" in answer.stderr


def test_where_nobody_listens_the_probe_is_refused() -> None:
    def nobody(*_: object) -> socket.socket:
        raise ChannelRefusedError("10.0.0.1:2379")

    assert probe(HttpProbe("h1", "http://127.0.0.1:1/"), nobody).exit_status == REFUSED


def test_without_a_tunnel_nothing_is_known() -> None:
    def no_tunnel(*_: object) -> socket.socket:
        raise OSError("the connection is gone")

    assert probe(HttpProbe("h1", "http://127.0.0.1:1/"), no_tunnel).exit_status == UNKNOWN


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
def test_a_connection_that_dies_under_a_probe_raises_nothing(
    scheme: str, moment: str, exit_status: int
) -> None:
    answer = probe(HttpProbe("h1", f"{scheme}://10.0.0.1:2379/health"), lambda *_: Dying(moment))
    assert exit_status == answer.exit_status


GARBAGE = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n{}\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
    b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000,
    b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000,
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 2",
    b"HTTP/9.9 200 OK\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02\x0a",
    b"\0" * 100_000,
]


@pytest.mark.parametrize("answer", GARBAGE, ids=range(len(GARBAGE)))
def test_an_answer_that_is_garbage_is_no_answer(answer: bytes) -> None:
    with listening(answer) as question:
        reported = probe(question, dial)
    began = answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 1")) and len(answer) > 12
    assert (UNKNOWN if began else REFUSED) == reported.exit_status
    assert reported.stderr.isprintable()


def test_a_number_that_means_no_length_is_passed_over() -> None:
    for number in (b"-5", b"none", b"9" * 5000):
        with listening(b"HTTP/1.1 200 OK\r\nContent-Length: " + number + b"\r\n\r\n{}") as question:
            assert probe(question, dial).stdout == "200\n{}"


class Dripping(Dying):
    """A tunnel through which one byte comes each second, and never an end."""

    def __init__(self) -> None:
        super().__init__("never")
        self.now = 0.0

    def recv(self, size: int) -> bytes:  # noqa: ARG002
        self.now += 1
        return b"x"


def test_a_listener_that_drips_is_given_up_in_time() -> None:
    tunnel = Dripping()
    answer = probe(HttpProbe("h1", "http://10.0.0.1:2379/"), lambda *_: tunnel, lambda: tunnel.now)
    assert (UNKNOWN, "no answer within 5 s") == (answer.exit_status, answer.stderr)
    assert tunnel.now == 5


@pytest.mark.parametrize("url", ["https://10.0.0.1:99999/", "http://[::1/", "https://10.0.0.1:2379/"])
def test_what_we_cannot_ask_is_no_refusal(url: str) -> None:
    missing = Path("/nowhere/ca.pem")
    answer = probe(HttpProbe("h1", url, ca=missing), dial)
    assert answer.exit_status == UNKNOWN
    assert "was not asked: " in answer.stderr
