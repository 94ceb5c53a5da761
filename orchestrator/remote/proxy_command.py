"""A stream through a program of the operator's: ProxyCommand in OpenSSH's configuration."""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TypeVar, cast

Done = TypeVar("Done")


class ProxyCommand:
    """Its stdin and stdout are pipes, as ssh makes them: there are programs that take no socket for one."""

    def __init__(self, command: str) -> None:
        self._process = subprocess.Popen(
            ("/bin/sh", "-c", f"exec {command}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for us alone
        )
        self._stdin = cast("IO[bytes]", self._process.stdin)
        self._stdout = cast("IO[bytes]", self._process.stdout)
        for pipe in (self._stdin, self._stdout):
            os.set_blocking(pipe.fileno(), False)
        self._timeout_s: float | None = None
        self._lock = threading.Lock()  # a descriptor that was closed may be another file's a moment later

    def settimeout(self, timeout: float | None, /) -> None:
        """Bound every send and recv, in seconds."""
        self._timeout_s = timeout

    def recv(self, size: int, /) -> bytes:
        """Receive some bytes; none at the end."""
        return self._once(self._stdout, select.POLLIN, lambda descriptor: os.read(descriptor, size))

    def send(self, data: bytes, /) -> int:
        """Send some of it; return how much."""
        return self._once(self._stdin, select.POLLOUT, lambda descriptor: os.write(descriptor, data))

    def close(self) -> None:
        """End the program, with all that it started; closed pipes end one that is another user's by now."""
        with self._lock:
            self._stdin.close()
            self._stdout.close()
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
                    raise BrokenPipeError("it was closed")
                with suppress(BlockingIOError):
                    return act(pipe.fileno())
                poll.register(pipe, event)
            left_ms = None if until is None else max(0.0, until - time.monotonic()) * 1000
            if not poll.poll(left_ms):
                raise TimeoutError
