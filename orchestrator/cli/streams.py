"""Standard output and standard error as files that never fail and never block whoever writes to them.

A thread of its own writes. Whoever writes waits for it only as long as readers take what they are given; a
reader that takes nothing costs half a second once, and after that nothing. What cannot be written is dropped.
"""

import io
import os
import re
import select
import sys
import threading
import time
from queue import SimpleQueue
from typing import TextIO, cast

from orchestrator.text import escaped

_PIECES = 4096  # texts that wait for a reader; the next ones are dropped, and counted
_PIECE_BYTES = 4096  # of one write(): the kernel takes that much of a pipe at once
_PATIENCE_S = 0.5  # as long as that, whoever writes waits for it to be written
_COLORS = re.compile(r"(\x1b\[[0-9;]*m)")  # typer paints its own help, with its own words


class _Writer:
    """Writes to the standard streams, in the order in which it was given what it writes."""

    def __init__(self) -> None:
        self.lost: set[int] = set()
        self.patience_s: float | None = (
            None  # how long the end of the program waits for a reader; None: for ever
        )
        self._queue: SimpleQueue[tuple[int, bytes, threading.Event]] = SimpleQueue()
        self._dropped_lines = 0
        self._is_slow = False
        self._moved = time.monotonic()
        threading.Thread(target=self._work, daemon=True, name="output").start()

    def put(self, descriptor: int, content: bytes) -> None:
        """Write, sooner or later; safe to call from a signal's handler."""
        if self._queue.qsize() >= _PIECES:
            self._dropped_lines += content.count(b"\n")
            return
        done = threading.Event()
        self._queue.put((descriptor, content, done))
        if not self._is_slow:
            self._is_slow = not done.wait(_PATIENCE_S)

    def finish(self, descriptor: int, began: float) -> None:
        """Wait until everything is written, or until nothing moved for as long as the patience."""
        done = threading.Event()
        self._queue.put((descriptor, b"", done))
        while not done.wait(0.1):
            still_s = time.monotonic() - max(began, self._moved)
            if self.patience_s is not None and still_s > self.patience_s:
                return

    def _work(self) -> None:
        while True:
            descriptor, content, done = self._queue.get()
            if self._dropped_lines:
                count, self._dropped_lines = self._dropped_lines, 0
                content = b"... %d lines are left out here: nobody read them\n" % count + content
            self._write(descriptor, content)
            done.set()
            if self._queue.empty():
                self._is_slow = False

    def _write(self, descriptor: int, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            try:
                rest = rest[os.write(descriptor, rest[:_PIECE_BYTES]) :]
            except BlockingIOError:  # somebody who shares the file has made it so
                select.select([], [descriptor], [])
            except OSError:
                self._lose(descriptor)
                return
            self._moved = time.monotonic()

    def _lose(self, descriptor: int) -> None:
        """Nobody can be reached there any more (a closed pipe or terminal, a full disk): write to nowhere."""
        self.lost.add(descriptor)
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


class _Stream(io.TextIOBase):
    """A standard stream, as Python's own ``sys.stdout`` is one; control characters are shown, not sent."""

    def __init__(self, descriptor: int, writer: _Writer, encoding: str) -> None:
        self.writer = writer
        self._descriptor = descriptor
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed has an attribute there
        return self._encoding

    @property
    def errors(self) -> str:  # type: ignore[override] # same
        return "backslashreplace"

    def write(self, text: str, /) -> int:
        pieces = _COLORS.split(text)
        safe = "".join(piece if number % 2 else escaped(piece) for number, piece in enumerate(pieces))
        self.writer.put(self._descriptor, safe.encode(self.encoding, self.errors))
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        return self._descriptor


def install() -> None:
    """Put these streams in the place of Python's own, for the whole process."""
    for descriptor in (0, 1, 2):
        _occupy(descriptor)
    out, err = (getattr(stream, "encoding", None) or "utf-8" for stream in (sys.stdout, sys.stderr))
    writer = _Writer()
    is_one = os.path.sameopenfile(1, 2)  # the same terminal: what is printed keeps its order
    sys.stdout = cast("TextIO", _Stream(1, writer, out))
    sys.stderr = cast("TextIO", _Stream(2, writer if is_one else _Writer(), err))


def hurry(patience_s: float) -> None:
    """Let the end of the program wait for a reader only as long as something moves within that time."""
    for stream in _installed():
        stream.writer.patience_s = patience_s


def finish() -> None:
    """Wait until everything is written; a reader may take its time, unless there is a hurry."""
    began = time.monotonic()
    for stream in _installed():
        stream.writer.finish(stream.fileno(), began)


def is_out_lost() -> bool:
    """Whether something could not be written on standard output, so that nobody sees what follows."""
    stream = sys.stdout
    return isinstance(stream, _Stream) and stream.fileno() in stream.writer.lost


def _installed() -> list[_Stream]:
    return [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, _Stream)]


def _occupy(descriptor: int) -> None:
    """Open a standard stream that is closed, or the next file that is opened would get its number."""
    try:
        os.fstat(descriptor)
    except OSError:
        # it gets the lowest free number, which is this one: those below are taken
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 -- it has no name
