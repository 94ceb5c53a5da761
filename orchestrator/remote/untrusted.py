"""What a host sends is data: whatever reading it raises means one thing, and nobody reads it without end."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Final, Protocol

import paramiko

from orchestrator.errors import HostUnreachableError, OrchestratorError
from orchestrator.text import escaped

READING: Final = (ValueError, EOFError, OSError, paramiko.SSHException)
"""What our own readers, and channels, raise over what a host said; anything else in them is our bug."""
ANYTHING: Final = (Exception,)
"""What paramiko raises over a host's bytes: also struct.error, IndexError, AssertionError, KeyError, …"""

_HANDSHAKE_BYTES = 1 << 20  # a host whose key is not known yet: a handshake needs less than 10 KB
_PACKET_BYTES = 1 << 18  # OpenSSH's own limit; paramiko would wait for 4 GB of one packet
_SHOWN_CHARS = 300


class SilentError(HostUnreachableError):
    """The host did not answer in time: asking twice would take twice as long."""


@contextmanager
def distrusted(host: str, doing: str, raised: tuple[type[Exception], ...] = ANYTHING) -> Iterator[None]:
    """Turn whatever is raised while a host is heard into HostUnreachableError, or SilentError if it was late.

    ``doing`` begins the reason, e.g. ``connection lost``.
    """
    try:
        yield
    except OrchestratorError:
        raise
    except TimeoutError as error:
        raise SilentError(host, words(error) if str(error) else f"{doing}: no answer in time") from error
    except raised as error:
        is_ours = raised is READING and isinstance(error, ValueError)
        said = tail(str(error)) if is_ours else words(error)
        what = "its answer cannot be read" if is_ours else doing
        raise HostUnreachableError(host, f"{what}: {said}" if said else what) from error


def words(error: BaseException) -> str:
    """Say in one line, as it may be shown, what an error of a connection, or of paramiko, means."""
    if isinstance(error, OSError):
        return tail(error.strerror or str(error))
    if isinstance(error, EOFError | paramiko.SSHException | HTTPException):
        return tail(str(error))
    return "what it sent cannot be read"


def tail(text: str) -> str:
    """Return the end of what a host said, in one line, as it may be shown."""
    line = " / ".join(line.strip() for line in text.splitlines() if line.strip())
    return escaped(line if len(line) <= _SHOWN_CHARS else "…" + line[-_SHOWN_CHARS:], keep="")


class Stream(Protocol):
    """What SSH is spoken over: a socket, or a channel through a jump host."""

    def recv(self, size: int, /) -> bytes:
        """Receive some bytes; none at the end."""

    def send(self, data: bytes, /) -> int:
        """Send some of it; return how much."""

    def settimeout(self, timeout: float | None, /) -> None:
        """Bound every send and recv, in seconds."""

    def close(self) -> None:
        """Let go of it."""


class Bounded:
    """A stream that takes no more than a handshake before it is trusted, and never an endless packet.

    ``unanswered`` are the signs of life that were asked for since anything was heard.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._left: int | None = _HANDSHAKE_BYTES
        self._closed = False  # paramiko looks at it, as a socket has it
        self.unanswered = 0

    def trust(self) -> None:
        """Take any number of packets from now on."""
        self._left = None

    def settimeout(self, timeout: float | None, /) -> None:
        """Bound every send and recv, in seconds."""
        self._stream.settimeout(timeout)

    def send(self, data: bytes, /) -> int:
        """Send some of it; return how much."""
        return self._stream.send(data)

    def close(self) -> None:
        """Close the stream."""
        self._closed = True
        self._stream.close()

    def recv(self, size: int, /) -> bytes:
        """Receive; SSHException, the one kind that paramiko's thread always passes on, if it is too much."""
        if size > _PACKET_BYTES:
            raise paramiko.SSHException(f"it announces a packet of {size} bytes")
        received = self._stream.recv(size)
        self.unanswered = 0
        if self._left is not None:
            self._left -= len(received)
            if self._left < 0:
                raise paramiko.SSHException(
                    f"it sent more than {_HANDSHAKE_BYTES} bytes before it logged us in"
                )
        return received
