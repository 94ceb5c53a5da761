"""Standard output and standard error as files that never fail and never block whoever writes to them.

A thread of its own writes. Whoever writes waits for it only as long as readers take what they are given; a
reader that takes nothing costs half a second once, and after that nothing. What cannot be written is dropped.
"""

import contextlib
import io
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import TextIO, cast

from orchestrator.cli.region import Region
from orchestrator.text import escaped

_PIECES = 4096  # texts that wait for a reader; the next ones are dropped, and counted
_PIECE_BYTES = 4096  # of one write(): the kernel takes that much of a pipe at once
_PATIENCE_S = 0.5  # as long as that, whoever writes waits for it to be written
_LEFT_OUT = b"... %d lines are left out here: nobody read them\n"
_CLEAR = b"\x1b[H\x1b[2J"
_COLUMNS = 80  # where a terminal does not say how many it has
_COLORS = re.compile(r"(\x1b\[[0-9;]*m)")  # typer paints its own help, with its own words


class _Writer:
    """Writes to the standard streams, in the order in which it was given what it writes."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self.lost: set[int] = set()
        self.patience_s: float | None = (
            None  # how long the end of the program waits for a reader; None: for ever
        )
        self.left_out = _LEFT_OUT
        self._queue: SimpleQueue[tuple[int, bytes, threading.Event]] = SimpleQueue()
        self._regions: dict[int, Region] = {}
        self._drawing = threading.Lock()  # never held while anything is written
        self._frames: dict[int, tuple[str, ...]] = {}  # the latest of each; nobody waits for them
        self._is_answered = False
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

    def draw(self, descriptor: int, lines: tuple[str, ...]) -> None:
        """Show lines below all text, in the place of those before; a reader that is slow misses some."""
        with self._drawing:
            is_pending = descriptor in self._frames
            self._frames[descriptor] = lines
        if not is_pending:
            self._queue.put((descriptor, b"", threading.Event()))

    def answered(self, descriptor: int) -> None:
        """Draw again below the question that was asked last."""
        self._is_answered = True
        self._queue.put((descriptor, b"", threading.Event()))

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
                content = self.left_out % count + content
            self._write(descriptor, self._around(descriptor, content))
            done.set()
            if self._queue.empty():
                self._is_slow = False

    def _around(self, descriptor: int, content: bytes) -> bytes:
        """Return what shows a text, and below it what is drawn there."""
        with self._drawing:
            frames, self._frames = self._frames, {}
        for drawn_on, lines in frames.items():
            self._region(drawn_on).frame = lines
        region = self._region(descriptor)
        if self._is_answered and not content:
            self._is_answered = False
            region.answered()
        return region.around(content, _columns(descriptor))

    def _region(self, descriptor: int) -> Region:
        """Return the lower end of what a descriptor writes to, drawn on or not: a question may come first."""
        for known, region in self._regions.items():
            if known == descriptor or os.path.sameopenfile(known, descriptor):
                return region
        return self._regions.setdefault(descriptor, Region(self._encoding))

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
        self.writer.put(self._descriptor, self._safe(text).encode(self.encoding, self.errors))
        return len(text)

    @staticmethod
    def _safe(text: str, keep: str = "\n") -> str:
        pieces = _COLORS.split(text)
        return "".join(piece if number % 2 else escaped(piece, keep) for number, piece in enumerate(pieces))

    def draw(self, lines: Sequence[str]) -> None:
        """Show lines below all text, in the place of those before; never waits."""
        safe = (self._safe(line, keep="").encode(self.encoding, self.errors) for line in lines)
        shown = tuple(line.decode(self.encoding) for line in safe)  # as long as they are there
        self.writer.draw(self._descriptor, shown)

    def answered(self) -> None:
        """Draw again: the question that was asked last is answered."""
        self.writer.answered(self._descriptor)

    def clear(self) -> None:
        """Empty the terminal."""
        self.writer.put(self._descriptor, _CLEAR)

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
    writer = _Writer(out)
    is_one = os.path.sameopenfile(1, 2)  # the same terminal: what is printed keeps its order
    sys.stdout = cast("TextIO", _Stream(1, writer, out))
    sys.stderr = cast("TextIO", _Stream(2, writer if is_one else _Writer(err), err))


@contextlib.contextmanager
def for_programs(left_out: bytes) -> Iterator[Callable[[str], object]]:
    """Keep standard output for lines that a program reads, and have people read standard error instead.

    Yields what writes such a line. ``left_out`` is what stands in the place of lines that nobody read, with
    ``%d`` for their number.
    """
    stream = sys.stdout
    if isinstance(stream, _Stream) and stream.writer is getattr(sys.stderr, "writer", None):
        left_out = _LEFT_OUT  # the same terminal, where a person reads both
    if isinstance(stream, _Stream):
        stream.writer.left_out = left_out
    sys.stdout = sys.stderr
    try:
        yield lambda line: stream.write(f"{line}\n")
    finally:
        sys.stdout = stream


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
    """Whether nobody sees what follows on standard output: its reader has gone, or it takes nothing."""
    stream = sys.stdout
    if not isinstance(stream, _Stream):
        return False
    return stream.fileno() in stream.writer.lost or _is_left(stream.fileno())


def _is_left(descriptor: int) -> bool:
    """Whether the reader of a pipe, or a terminal, has gone; that is seen without writing there."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))


def _columns(descriptor: int) -> int:
    try:
        return os.get_terminal_size(descriptor).columns or _COLUMNS
    except OSError:  # it is gone
        return _COLUMNS


def _installed() -> list[_Stream]:
    return [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, _Stream)]


def _occupy(descriptor: int) -> None:
    """Open a standard stream that is closed, or the next file that is opened would get its number."""
    try:
        os.fstat(descriptor)
    except OSError:
        # it gets the lowest free number, which is this one: those below are taken
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 -- it has no name
