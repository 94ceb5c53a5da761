"""Knocking: one GET request to a listener, through a tunnel, with TLS spoken by us and not by the tunnel."""

import re
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import BadStatusLine, HTTPException, HTTPResponse
from io import BytesIO
from socket import socket
from typing import Protocol, TypeVar, cast
from urllib.parse import SplitResult, urlsplit

from orchestrator.host.questions import Answer, HttpProbe
from orchestrator.remote import stranger
from orchestrator.remote.untrusted import words
from orchestrator.text import escaped, shown

T = TypeVar("T")

REFUSED, UNKNOWN = 1, 2
_MAX_BYTES = 65536
_SHOWN_BYTES = 40
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-5][0-9]{2}[ \r\n]")


class Channel(Protocol):
    """A stream of bytes to the listener; reading nothing means that the other side has closed it.

    Every call raises EOFError when the connection that the stream runs over is gone.
    """

    def settimeout(self, timeout: float | None, /) -> None:
        """Bound every send and recv, in seconds."""

    def sendall(self, data: bytes, /) -> None:
        """Send everything."""

    def recv(self, size: int, /) -> bytes:
        """Receive some bytes."""

    def close(self) -> None:
        """Let go of the stream."""


class ChannelRefusedError(Exception):
    """Nobody listens there."""


class UnfinishedError(Exception):
    """The listener began an answer, and what followed is none: that is no refusal, and no answer."""


def probe(
    question: HttpProbe, dial: Callable[[str, int], Channel], clock: Callable[[], float] = time.monotonic
) -> Answer:
    """Ask a listener; ``dial`` opens the stream and raises ChannelRefusedError, TimeoutError or OSError."""
    try:
        url = urlsplit(question.url)
        host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        context = _context(question) if url.scheme == "https" else None
    except (
        OSError,
        ValueError,
    ) as error:  # also ssl.SSLError: of our own files, and nobody has been asked yet
        return Answer(UNKNOWN, "", f"{question.url} was not asked: {words(error)}")
    try:
        channel = dial(host, port)
    except ChannelRefusedError as error:
        return Answer(REFUSED, "", f"nobody listens: {error}")
    except OSError as error:
        return Answer(UNKNOWN, "", f"no tunnel: {words(error)}")
    return _ask(question, url, context, _Bounded(channel, clock, question.timeout_s))


def _ask(question: HttpProbe, url: SplitResult, context: ssl.SSLContext | None, channel: Channel) -> Answer:
    try:
        status, body = _get(url, context, channel)
    except TimeoutError:
        return Answer(UNKNOWN, "", f"no answer within {question.timeout_s:g} s")
    except ssl.SSLError as error:
        return Answer(REFUSED, "", f"TLS: {error.reason or words(error)}")
    except (UnfinishedError, ValueError) as error:
        return Answer(UNKNOWN, "", f"no whole answer: {escaped(str(error))}")
    except (OSError, EOFError, HTTPException) as error:
        return Answer(REFUSED, "", f"closed without an answer: {words(error)}")
    finally:
        with suppress(EOFError, OSError):  # there is no connection left to close it over
            channel.close()
    return Answer(0, f"{status}\n{body.decode(errors='replace')}")


def _get(url: SplitResult, context: ssl.SSLContext | None, channel: Channel) -> tuple[int, bytes]:
    stream = _Tls(channel, context, url.hostname or "") if context else channel
    request = f"GET {url.path or '/'} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n"
    stream.sendall(request.encode())
    received = bytearray()
    while len(received) < _MAX_BYTES:
        chunk = stream.recv(16384)
        if not chunk:
            break
        received += chunk
    if not received:
        raise ConnectionResetError("the listener closed the connection")
    return read_answer(bytes(received))


def read_answer(received: bytes) -> tuple[int, bytes]:
    """Return status and body of an HTTP answer.

    Raises HTTPException if it does not begin as one does, UnfinishedError if it only begins so.
    """
    response = HTTPResponse(cast("socket", _Received(received)))
    if not _STATUS_LINE.match(received):
        raise BadStatusLine(shown(received[:_SHOWN_BYTES].decode(errors="replace")))
    if b"\n\r\n" not in received and b"\n\n" not in received:
        raise UnfinishedError("its headers have no end")
    try:
        response.begin()
        if response.length is not None:  # the number may be one that nothing can hold
            response.length = min(response.length, len(received) + 1)
        return response.status, response.read()
    except (HTTPException, ValueError, OverflowError) as error:
        raise UnfinishedError("it is cut off, too long, or no HTTP") from error


def _context(question: HttpProbe) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(question.ca) if question.ca else None)
    if question.certificate and question.key:
        context.load_cert_chain(question.certificate, question.key)
    elif question.is_stranger:
        stranger.show(context)
    return context


class _Bounded:
    """A stream that has to be over at one moment, however little it brings at a time."""

    def __init__(self, channel: Channel, clock: Callable[[], float], timeout_s: float) -> None:
        self._channel = channel
        self._clock = clock
        self._until = clock() + timeout_s

    def settimeout(self, timeout: float | None, /) -> None:
        self._channel.settimeout(timeout)

    def sendall(self, data: bytes, /) -> None:
        self._left()
        self._channel.sendall(data)

    def recv(self, size: int, /) -> bytes:
        self._left()
        return self._channel.recv(size)

    def close(self) -> None:
        self._channel.close()

    def _left(self) -> None:
        left_s = self._until - self._clock()
        if left_s <= 0:
            raise TimeoutError
        self._channel.settimeout(left_s)


class _Received:
    """What http.client needs of a socket from which everything was received."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._content)


class _Tls:
    """TLS over any stream of bytes: an SSH channel is no socket that ssl could wrap."""

    def __init__(self, channel: Channel, context: ssl.SSLContext, host: str) -> None:
        self._channel = channel
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._pump(self._tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        self._pump(lambda: self._tls.write(data))

    def recv(self, size: int) -> bytes:
        try:
            return self._pump(lambda: self._tls.read(size))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def _pump(self, act: Callable[[], T]) -> T:
        while True:
            try:
                result = act()
            except ssl.SSLWantReadError:
                self._flush()
                received = self._channel.recv(16384)
                if received:
                    self._incoming.write(received)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                self._flush()  # the alert that tells the listener why
                raise
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._channel.sendall(self._outgoing.read())
