"""One command on a host, talked to line by line, each line with a deadline of its own."""

import re
import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from threading import Event
from typing import Protocol

from orchestrator.host.operations import Secret
from orchestrator.host.questions import Answers, Script
from orchestrator.remote.script import LOOKING_SHELL, REST, look_script, parse_look, together
from orchestrator.remote.untrusted import tail

_LINE_S = 10.0  # for a line that the host can print at once
_SLACK_S = 5.0  # for an answer, beyond the time that the script itself may take
_STATUS_S = 1.0  # for the exit status, which sshd sends behind the end of the output
_SLICE_BYTES = 32 * 1024  # sending one large ``bytes`` is quadratic in paramiko
_LINE_BYTES = 16 << 20  # the longest answers are files in base64, and far below that
_NOISE_BYTES = 4096  # of what is kept for an error: the end
_PASSWORD_S = 30.0  # sudo may ask a directory server, and waits for some seconds after a wrong one
_LINE = re.compile(
    rb"orchestrator-(?:root|uid|begin|answer|rest|part|end|hello|result|waiting|pending)(?: |$)"
)


class Channel(Protocol):
    """The part of a paramiko channel that is used here."""

    closed: bool
    eof_received: int
    exit_status: int
    status_event: Event

    def fileno(self) -> int:
        """Descriptor that is readable when either stream has something, or has ended."""

    def settimeout(self, timeout: float | None, /) -> None:
        """Bound every send, in seconds."""

    def send(self, data: bytes, /) -> int:
        """Send some of it to stdin; return how much."""

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


class _PromptedError(Exception):
    """Sudo has printed our prompt."""


class EndedError(EOFError):
    """The command ended, or the connection did; ``exit_status`` is None if the host reported none.

    ``said`` is the end of stderr, or else of what a login shell printed, as it may be shown.
    """

    def __init__(self, said: str, exit_status: int | None) -> None:
        super().__init__(said or "the connection was closed")
        self.said = said
        self.exit_status = exit_status


class PasswordRefusedError(Exception):
    """Sudo asks for the password once more, so the one that it was given is wrong."""


class Conversation:
    """Talks to a script whose lines start with ``orchestrator-``; other lines are a login shell's noise.

    ``until`` is when the whole of it has to be over, by ``clock``.
    """

    def __init__(self, channel: Channel, clock: Callable[[], float], until: float = inf) -> None:
        self._channel = channel
        self._clock = clock
        self._until = until
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._noise = bytearray()
        self._prompt: bytes | None = None  # sudo's, while it may ask for a password
        self._poll = select.poll()
        self._poll.register(channel.fileno(), select.POLLIN)

    def say(self, text: bytes, within_s: float = _LINE_S) -> None:
        """Send to the script's stdin; TimeoutError if the host has not taken it within ``within_s``.

        A script that takes nothing any more has ended: the next line tells why.
        """
        deadline = self._deadline(within_s)
        view = memoryview(text)
        while view:
            self._channel.settimeout(self._left_s(deadline, within_s))
            try:
                sent = self._channel.send(bytes(view[:_SLICE_BYTES]))
            except TimeoutError:
                continue  # and say so above
            except OSError:
                return
            if sent == 0:
                return
            view = view[sent:]

    def prove(self, prompt: str, secret: Secret | None) -> None:
        """Give sudo a password as soon as it has printed our own prompt, and wait until our command runs.

        The prompt is known to nobody else, so nothing but sudo gets it, and nothing is sent behind it that
        sudo could take for another try. PasswordRefusedError if it asks once more.
        """
        self._prompt, is_given = prompt.encode(), False
        while True:
            try:
                words = self.line(_PASSWORD_S)
            except _PromptedError:
                if is_given or secret is None:
                    raise PasswordRefusedError from None
                self.say(f"{secret.reveal()}\n".encode())
                is_given = True
            else:
                if words == f"orchestrator-root {prompt}":
                    self._prompt = None
                    return

    @property
    def is_over(self) -> bool:
        """Whether the command, or the connection, has ended as far as is known."""
        return bool(self._channel.closed or self._channel.eof_received)

    @contextmanager
    def within(self, within_s: float) -> Iterator[None]:
        """Bound all that is said and heard meanwhile, beside each line's own deadline."""
        before, self._until = self._until, self._deadline(within_s)
        try:
            yield
        finally:
            self._until = before

    def end_input(self) -> None:
        """Close the script's stdin."""
        self._channel.shutdown_write()

    def line(self, within_s: float = _LINE_S) -> str:
        """Return the next line.

        TimeoutError if it is late, EndedError if none is left, ValueError if it is too long.
        """
        deadline = self._deadline(within_s)
        while True:
            while b"\n" in self._stdout:
                line, _, self._stdout = self._stdout.partition(b"\n")
                if _LINE.match(line):
                    return line.decode(errors="replace")
                self._noise = (self._noise + line + b"\n")[-_NOISE_BYTES:]
            self._look_for_prompt()
            if len(self._stdout) > _LINE_BYTES:
                raise ValueError(f"a line of more than {_LINE_BYTES} bytes")
            self._receive(self._left_s(deadline, within_s))

    def _look_for_prompt(self) -> None:
        for heard in (self._stderr, self._stdout) if self._prompt else ():  # at a terminal, they are one
            before, found, behind = bytes(heard).partition(self._prompt or b"")
            if found:
                heard[:] = before + behind
                raise _PromptedError

    def _deadline(self, within_s: float) -> float:
        return min(self._clock() + within_s, self._until)

    def _left_s(self, deadline: float, within_s: float) -> float:
        left_s = deadline - self._clock()
        if left_s > 0:
            return left_s
        said = self._said()
        raise TimeoutError(f"no answer within {within_s:g} s" + (f"; it said: {said}" if said else ""))

    def _receive(self, left_s: float) -> None:
        # both streams are drained: a full window on one of them would stall the other
        self._poll.poll(left_s * 1000)
        is_over = self.is_over  # asked first: the last words come before it
        if self._channel.recv_ready():
            self._stdout += self._channel.recv(_SLICE_BYTES)
        elif self._channel.recv_stderr_ready():
            self._stderr = (self._stderr + self._channel.recv_stderr(_SLICE_BYTES))[-_NOISE_BYTES:]
        elif is_over:
            self._channel.status_event.wait(min(left_s, _STATUS_S))
            status = self._channel.exit_status
            raise EndedError(self._said(), status if status >= 0 else None)

    def _said(self) -> str:
        return tail(
            (self._stderr.strip() or self._noise + self._stdout[-_NOISE_BYTES:]).decode(errors="replace")
        )


def prepare(conversation: Conversation) -> None:
    """Make a shell that reads its script from stdin one that looks are asked of, any number in turn."""
    conversation.say(LOOKING_SHELL.encode())
    conversation.line()


def converse(conversation: Conversation, scripts: Sequence[Script]) -> Answers:
    """Ask a prepared shell every question in one script; ValueError if the answers cannot be read.

    Each answer has its own deadline, so that a host that dies in the middle is noticed soon.
    """
    conversation.say(look_script(scripts).encode())
    conversation.line()
    lines = [line for group in together(scripts) for line in _answers(conversation, group)]
    lines.append(conversation.line())
    return parse_look(scripts, "\n".join(lines))


def _answers(conversation: Conversation, group: Sequence[Script]) -> Iterator[str]:
    within_s = sum(script.timeout_s for script in group) + 1 + _SLACK_S
    for _ in group:
        yield (line := conversation.line(within_s))
        if line.startswith(REST):
            return
    if len(group) > 1:
        yield conversation.line(within_s)
