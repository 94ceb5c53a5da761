"""Terminals and pipes for tests: what nobody reads, what goes away, and what a person types."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.waiting import MOST_S


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self._said = b""
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command],  # its controlling terminal: Ctrl-C comes as a signal
            cwd=cwd,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def read(self, within_s: float = MOST_S, until: str | None = None) -> str:
        """Read until that was said, or until the program has hung up; return everything that was said."""
        deadline = time.monotonic() + within_s
        while until is None or until not in self.said:
            left_s = deadline - time.monotonic()
            if not select.select([self._ours], [], [], max(0.0, left_s))[0]:
                raise AssertionError(f"not within {within_s} s: {until!r} in {self.said!r}")
            try:
                more = os.read(self._ours, 65536)
            except OSError:  # everybody has closed the terminal's other end
                break
            self._said += more
        return self.said

    @property
    def said(self) -> str:
        return self._said.decode(errors="replace").replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        os.close(self._ours)
        self._ours = -1

    def end(self, within_s: float = MOST_S) -> int:
        """Wait for the program, and return its exit code."""
        return self.process.wait(within_s)

    def close(self) -> None:
        if self._ours >= 0:
            self.hang_up()
        with contextlib.suppress(ProcessLookupError):
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()


@contextmanager
def terminal(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Iterator[Terminal]:
    """Start a program at a terminal."""
    started = Terminal(command, cwd, env)
    try:
        yield started
    finally:
        started.close()


@contextmanager
def full_pipe() -> Iterator[int]:
    """A pipe that is full, and that nobody reads; returns the end to write to."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    try:
        yield writing
    finally:
        os.close(reading)
        os.close(writing)


def interrupt(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGINT) -> float:
    """Send a signal, wait for the end, and return how long that took, in seconds."""
    sent = time.monotonic()
    process.send_signal(number)
    process.wait(MOST_S)
    return time.monotonic() - sent
