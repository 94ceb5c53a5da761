"""A stream through a program of the operator's: ProxyCommand in OpenSSH's configuration."""

import errno
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TypeVar, cast

from orchestrator.remote.untrusted import tail

Done = TypeVar("Done")
_KEPT_BYTES = 4096
_PIPE_BYTES = 65536
_END_S = 0.5  # between the end of what it says and its own


class ProxyCommand:
    """Its stdin and stdout are pipes, as ssh makes them: there are programs that take no socket for one.

    What it prints on stderr is kept for ``account``: ssh would show it, and it says who has to log in anew.
    """

    def __init__(self, command: str) -> None:
        self._process = subprocess.Popen(
            ("/bin/sh", "-c", f"exec {command}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for us alone
        )
        self._stdin = cast("IO[bytes]", self._process.stdin)
        self._stdout = cast("IO[bytes]", self._process.stdout)
        self._stderr = cast("IO[bytes]", self._process.stderr)
        for pipe in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(pipe.fileno(), False)
        self._printed = b""
        self._ended: int | None = None
        self._is_heard = False
        self._timeout_s: float | None = None
        self._lock = threading.Lock()  # a descriptor that was closed may be another file's a moment later

    def account(self) -> str:
        """Say how it ended and what it printed, e.g. ``ended with exit status 127: sh: 1: nc: not found``.

        Nothing if it did its part: then it is the host that hung up, or fell silent.
        """
        printed = tail(self._printed.decode(errors="replace"))
        if not printed and (self._ended == 0 or (self._ended is None and self._is_heard)):
            return ""
        if self._ended is None:
            return f"is running, and printed: {printed}" if printed else "is running"
        status = f"exit status {self._ended}" if self._ended >= 0 else f"signal {-self._ended}"
        return f"ended with {status}" + (f": {printed}" if printed else "")

    def settimeout(self, timeout: float | None, /) -> None:
        """Bound every send and recv, in seconds."""
        self._timeout_s = timeout

    def recv(self, size: int, /) -> bytes:
        """Receive some bytes; none at the end."""
        received = self._once(self._stdout, select.POLLIN, lambda descriptor: os.read(descriptor, size))
        if received:
            self._is_heard = True
        else:
            self._await_end()
        return received

    def send(self, data: bytes, /) -> int:
        """Send some of it; return how much."""
        try:
            return self._once(self._stdin, select.POLLOUT, lambda descriptor: os.write(descriptor, data))
        except BrokenPipeError:
            self._await_end()
            raise

    def close(self) -> None:
        """End the program, with all that it started; closed pipes end one that is another user's by now."""
        with self._lock:
            if not self._stderr.closed:
                self._listen()
            for pipe in (self._stdin, self._stdout, self._stderr):
                pipe.close()
        if self._process.poll() is None:
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)

    def _once(self, pipe: IO[bytes], event: int, act: Callable[[int], Done]) -> Done:
        """Do it as soon as it can be done; TimeoutError if that takes too long, OSError if it is closed."""
        until = None if self._timeout_s is None else time.monotonic() + self._timeout_s
        while True:
            poll = select.poll()
            with self._lock:
                if pipe.closed:
                    raise OSError(errno.EBADF, "it was closed")
                with suppress(BlockingIOError):
                    return act(pipe.fileno())
                poll.register(pipe, event)
                if self._listen():
                    poll.register(self._stderr, select.POLLIN)
            left_s = None if until is None else until - time.monotonic()
            if left_s is not None and left_s <= 0:
                raise TimeoutError
            poll.poll(left_s and left_s * 1000)

    def _await_end(self) -> None:
        """Learn how it ended, if it does so by itself."""
        with suppress(subprocess.TimeoutExpired):
            self._ended = self._process.wait(_END_S)

    def _listen(self) -> bool:
        """Keep the end of what it prints; whether more may come."""
        try:
            heard = os.read(self._stderr.fileno(), _PIPE_BYTES)
        except BlockingIOError:
            return True
        self._printed = (self._printed + heard)[-_KEPT_BYTES:]
        return bool(heard)
