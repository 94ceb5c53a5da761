"""Knocking: one GET request to a listener, through a tunnel, with TLS spoken by us and not by the tunnel."""

import ssl
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from socket import socket
from typing import Protocol, TypeVar, cast
from urllib.parse import SplitResult, urlsplit

from orchestrator.operations import Answer, Knock
from orchestrator.remote import stranger

T = TypeVar("T")

REFUSED, UNKNOWN = 1, 2
_MAX_BYTES = 65536


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


def knock(question: Knock, dial: Callable[[str, int], Channel]) -> Answer:
    """Ask a listener; ``dial`` opens the stream and raises ChannelRefusedError, TimeoutError or OSError."""
    url = urlsplit(question.url)
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    try:
        channel = dial(host, port)
    except ChannelRefusedError as error:
        return Answer(REFUSED, "", f"nobody listens: {error}")
    except OSError as error:
        return Answer(UNKNOWN, "", f"no tunnel: {error}")
    try:
        channel.settimeout(question.timeout_s)
        status, body = _get(question, url, host, channel)
    except TimeoutError:
        return Answer(UNKNOWN, "", f"no answer within {question.timeout_s:g} s")
    except ssl.SSLError as error:
        return Answer(REFUSED, "", f"TLS: {error.reason or error}")
    except (OSError, EOFError, HTTPException) as error:
        return Answer(REFUSED, "", f"closed without an answer: {error}")
    finally:
        with suppress(EOFError):  # there is no connection left to close it over
            channel.close()
    return Answer(0, f"{status}\n{body.decode(errors='replace')}")


def _get(question: Knock, url: SplitResult, host: str, channel: Channel) -> tuple[int, bytes]:
    stream = _Tls(channel, _context(question), host) if url.scheme == "https" else channel
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
    response = HTTPResponse(cast("socket", _Received(bytes(received))))
    response.begin()
    return response.status, response.read()


def _context(question: Knock) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(question.ca) if question.ca else None)
    if question.certificate and question.key:
        context.load_cert_chain(question.certificate, question.key)
    elif question.is_stranger:
        stranger.show(context)
    return context


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
