"""One command on a host, talked to line by line, each line with a deadline of its own."""

import select
from collections.abc import Callable, Sequence
from typing import Protocol

from orchestrator.operations import Answers, Check
from orchestrator.remote.script import look_script, parse_look

_LINE_S = 10.0  # for a line that the host can print at once
_SLACK_S = 5.0  # for an answer, beyond the time that the check itself may take
_SLICE_BYTES = 32 * 1024  # sending one large ``bytes`` is quadratic in paramiko


class Channel(Protocol):
    """The part of a paramiko channel that is used here."""

    closed: bool
    eof_received: int

    def fileno(self) -> int:
        """Descriptor that is readable when either stream has something, or has ended."""

    def settimeout(self, timeout: float | None, /) -> None:
        """Bound every send, in seconds."""

    def sendall(self, data: bytes, /) -> None:
        """Send to stdin."""

    def shutdown_write(self) -> None:
        """Close stdin."""

    def recv_ready(self) -> bool:
        """Whether stdout has something."""

    def recv(self, size: int, /) -> bytes:
        """Read stdout."""

    def recv_stderr_ready(self) -> bool:
        """Whether stderr has something."""

    def recv_stderr(self, size: int, /) -> bytes:
        """Read stderr."""


class Conversation:
    """Talks to a script whose lines start with ``orchestrator-``; other lines are a login shell's noise."""

    def __init__(self, channel: Channel, clock: Callable[[], float]) -> None:
        self._channel = channel
        self._clock = clock
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._poll = select.poll()
        self._poll.register(channel.fileno(), select.POLLIN)

    def say(self, text: bytes, within_s: float = _LINE_S) -> None:
        """Send to the script's stdin; TimeoutError if the host takes nothing for ``within_s``."""
        self._channel.settimeout(within_s)
        view = memoryview(text)
        for start in range(0, len(view), _SLICE_BYTES):
            self._channel.sendall(bytes(view[start : start + _SLICE_BYTES]))

    def end_input(self) -> None:
        """Close the script's stdin."""
        self._channel.shutdown_write()

    def line(self, within_s: float = _LINE_S) -> str:
        """Return the next line; TimeoutError after ``within_s``, EOFError with stderr at the end."""
        deadline = self._clock() + within_s
        while True:
            while b"\n" in self._stdout:
                line, _, self._stdout = self._stdout.partition(b"\n")
                if line.startswith(b"orchestrator-"):
                    return line.decode(errors="replace")
            left_s = deadline - self._clock()
            if left_s <= 0:
                raise TimeoutError(f"no answer within {within_s:g} s")
            self._receive(left_s)

    def _receive(self, left_s: float) -> None:
        # both streams are drained: a full window on one of them would stall the other
        self._poll.poll(left_s * 1000)
        if self._channel.recv_ready():
            self._stdout += self._channel.recv(_SLICE_BYTES)
        elif self._channel.recv_stderr_ready():
            self._stderr += self._channel.recv_stderr(_SLICE_BYTES)
        elif self._channel.eof_received or self._channel.closed:
            raise EOFError(self._stderr.decode(errors="replace").strip() or "the connection was closed")


def converse(conversation: Conversation, checks: Sequence[Check]) -> Answers:
    """Ask every check in one script; ValueError if the answers cannot be read.

    Each answer has its own deadline, so that a host that dies in the middle is noticed soon.
    """
    conversation.say(look_script(checks).encode())
    conversation.end_input()
    conversation.line()
    lines = [conversation.line(check.timeout_s + 1 + _SLACK_S) for check in checks]
    lines.append(conversation.line())
    return parse_look(checks, "\n".join(lines))
