"""The state file: an append-only list of events, on disk before the job that each announces."""

import errno
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from orchestrator.engine import disk, holding, lines
from orchestrator.engine.events import Recorded
from orchestrator.engine.lines import Content
from orchestrator.engine.progress import Progress
from orchestrator.errors import RefusedError, UnwritableError, UsageError


class EventLog(Protocol):
    """What the engine needs of a event log."""

    @property
    def progress(self) -> Progress:
        """How far the run has come."""
        ...

    def append(self, event: Recorded) -> None:
        """Record an event; it is safe when this returns."""
        ...

    def forget(self) -> None:
        """Start anew; only for a event log in which nothing was ever begun."""
        ...


class MemoryEventLog:
    """A event log that is never written: for the dry run and the engine's tests.

    It goes on from ``progress``, or from its own events.
    """

    def __init__(self, events: tuple[Recorded, ...] = (), progress: Progress | None = None) -> None:
        self.events = list(events)
        self.progress = Progress.of(events) if progress is None else progress

    def append(self, event: Recorded) -> None:
        """Keep an event; raises OutOfOrderError."""
        self.progress = self.progress.after(event)
        self.events.append(event)

    def forget(self) -> None:
        """Start anew; only for one in which nothing was ever begun."""
        if self.progress.attempts:
            raise ValueError("the event log holds steps that were begun")
        self.events, self.progress = [], Progress()


def _ignore(_: str) -> None:
    pass


class StateFile:
    """A event log in a file, locked for as long as it is open. Each line is one event in JSON (see lines.py).

    A last line without its newline was torn by a crash while it was written: what it announced had not begun,
    so it is dropped, and ``warn`` is called. Anything else that cannot be read is refused, and the file stays
    as it is. A full disk never leaves half a line: see ``append``.
    """

    def __init__(self, path: Path, warn: Callable[[str], None] = _ignore) -> None:
        self.path = path
        self._is_torn = False
        self._descriptor = holding.open_locked(path)
        try:
            with holding.refused(path):
                raw = disk.read(self._descriptor)
            content = lines.parse(path, raw)
            self.events, self.progress = list(content.events), content.progress
            self._chain = content.chain
            torn_bytes = len(raw) - content.sound_bytes
            with holding.refused(path):
                if torn_bytes:
                    died = "written as the last run died"
                    warn(f"{path}: dropped a torn last line of {torn_bytes} bytes, {died}")
                    os.ftruncate(self._descriptor, content.sound_bytes)
                disk.sync_directory(path.parent)
        except BaseException:
            os.close(self._descriptor)
            raise

    def append(self, event: Recorded) -> None:
        """Write an event and wait until the disk has it, whole or not at all.

        Raises OutOfOrderError for an event that no reader would take; if it cannot be written RefusedError if
        no step was ever begun, else UnwritableError: what is not noted is in doubt.
        """
        progress = self.progress.after(event)
        line, chain = lines.line_of(event, self._chain)
        try:
            self._write(line)
        except OSError as error:
            what = f"{event.event} {getattr(event, 'step', '')}".strip()
            reason = f"{self.path}: {what!r} cannot be noted: {error.strerror}"
            if not self.progress.attempts:
                raise RefusedError(
                    f"nothing was changed: {reason}; free disk space, then run again"
                ) from error
            raise UnwritableError(
                f"{reason}; no further step was started, and a resume checks what was not recorded: "
                "free disk space first"
            ) from error
        self.events.append(event)
        self.progress, self._chain = progress, chain

    def _write(self, line: bytes) -> None:
        size_bytes = os.fstat(self._descriptor).st_size
        if self._is_torn or size_bytes + len(line) > disk.LARGEST_BYTES:
            raise OSError(errno.EFBIG, "half a line is there already" if self._is_torn else "File too large")
        try:
            disk.write(self._descriptor, line)
        except OSError:
            self._is_torn = True  # if it stays torn the next reader drops it, and nothing may stand behind it
            with suppress(OSError):
                os.ftruncate(self._descriptor, size_bytes)
                self._is_torn = False
            raise

    def set_aside(self) -> Path:
        """Keep a finished story under the run's own name, and start the file anew; returns where it went."""
        if self.progress.opened is None or not self.progress.is_rolled_back:
            raise ValueError(f"{self.path} holds a story that is not over")
        kept = self.path.with_name(f"{self.path.name}.{self.progress.opened.run}")
        with holding.refused(kept):
            disk.write_new(kept, disk.read(self._descriptor), may_replace=True)
        self._empty()
        return kept

    def forget(self) -> None:
        """Start the file anew; only for one in which nothing was ever begun."""
        if self.progress.attempts:
            raise ValueError(f"{self.path} holds steps that were begun")
        self._empty()

    def _empty(self) -> None:
        with holding.refused(self.path):
            os.ftruncate(self._descriptor, 0)
        self.events, self.progress, self._chain = [], Progress(), ""

    def close(self) -> None:
        """Let go of the file and its lock; a file without an event leaves no trace.

        It goes while it is still locked: whoever has opened it meanwhile finds that it is not there any more.
        """
        with suppress(OSError):
            is_ours = not self.path.is_symlink() and disk.is_at(self._descriptor, self.path)
            if not self.events and is_ours:
                self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read(path: Path) -> tuple[list[Recorded], int]:
    """Read a state file without its lock: its events, and how many bytes hold whole lines."""
    held = content_of(path)
    return list(held.events), held.sound_bytes


def progress_of(path: Path) -> Progress:
    """Read how far a run has come, without the file's lock; no file is no progress."""
    if not os.path.lexists(path):
        return Progress()
    return content_of(path).progress


def refuse_missing(path: Path) -> None:
    """Refuse to read the story of a run where none is; raises UsageError."""
    if not os.path.lexists(path):
        raise UsageError(
            f"{path}: there is no state file: no run has begun, or it lies elsewhere (--state FILE)"
        )


def create(path: Path, events: Iterable[Recorded]) -> None:
    """Write a state file, whole or not at all; raises RefusedError if there is one."""
    progress, chain, content = Progress(), "", b""
    for event in events:
        progress = progress.after(event)
        line, chain = lines.line_of(event, chain)
        content += line
    with holding.refused(path):
        disk.write_new(path, content)


def content_of(path: Path) -> Content:
    """Read all that a state file holds, without its lock."""
    with holding.refused(path):
        descriptor = disk.open_plain(path)
        try:
            raw = disk.read(descriptor)
        finally:
            os.close(descriptor)
    return lines.parse(path, raw)
