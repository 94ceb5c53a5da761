"""The state file: an append-only list of events, on disk before the deed that each announces."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from pydantic import ValidationError

from orchestrator.engine import disk
from orchestrator.engine.events import FORMAT, RECORDED, Opened, Recorded, RunBegan
from orchestrator.engine.progress import Progress
from orchestrator.errors import LockedError, RefusedError, UnwritableError


class Journal(Protocol):
    """What the engine needs of a journal."""

    @property
    def progress(self) -> Progress:
        """How far the run has come."""
        ...

    def append(self, event: Recorded) -> None:
        """Record an event; it is safe when this returns."""
        ...


class MemoryJournal:
    """A journal that is never written: for the dry run and the engine's tests."""

    def __init__(self, events: tuple[Recorded, ...] = ()) -> None:
        self.events = list(events)
        self.progress = Progress.of(events)

    def append(self, event: Recorded) -> None:
        """Keep an event."""
        self.events.append(event)
        self.progress.take(event)


def _ignore(_: str) -> None:
    pass


class StateFile:
    """A journal in a file, locked for as long as it is open. Each line is one event in JSON.

    A last line without its newline was torn by a crash while it was written: what it announced had not begun,
    so it is dropped, and ``warn`` is told. Anything else that cannot be read is refused, and the file is left
    as it is. A full disk never leaves half a line: see ``append``.
    """

    def __init__(self, path: Path, warn: Callable[[str], None] = _ignore) -> None:
        self.path = path
        with _refused(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._lock()
            self.events, sound_bytes = read(path)
            torn_bytes = path.stat().st_size - sound_bytes
            if torn_bytes:
                warn(f"{path}: dropped a torn last line of {torn_bytes} bytes, written as the last run died")
                os.ftruncate(self._descriptor, sound_bytes)
            self.progress = Progress.of(self.events)
            with _refused(path):
                disk.sync_directory(path.parent)
        except BaseException:
            os.close(self._descriptor)
            raise

    def append(self, event: Recorded) -> None:
        """Write an event and wait until the disk has it, whole or not at all.

        Raises RefusedError if no step was ever begun, else UnwritableError: what is not noted is in doubt.
        """
        line = event.model_dump_json().encode() + b"\n"
        size_bytes = os.fstat(self._descriptor).st_size
        try:
            disk.write(self._descriptor, line)
        except OSError as error:
            with suppress(OSError):  # if it stays torn the next reader drops it
                os.ftruncate(self._descriptor, size_bytes)
            what = f"{event.event} {getattr(event, 'step', '')}".strip()
            reason = f"{self.path}: {what!r} cannot be noted: {error.strerror}"
            if not self.progress.attempts:
                raise RefusedError(f"nothing was changed: {reason}; make room, then run again") from error
            raise UnwritableError(
                f"{reason}; nothing more was begun, and what is not noted will be looked at: make room first"
            ) from error
        self.events.append(event)
        self.progress.take(event)

    def set_aside(self) -> Path:
        """Keep a finished story under the run's own name, and start the file anew; returns where it went."""
        if self.progress.opened is None or not self.progress.is_rolled_back:
            raise ValueError(f"{self.path} holds a story that is not over")
        kept = self.path.with_name(f"{self.path.name}.{self.progress.opened.run}")
        with _refused(kept):
            disk.copy(self.path, kept)
        os.ftruncate(self._descriptor, 0)
        self.events, self.progress = [], Progress()
        return kept

    def forget(self) -> None:
        """Start the file anew; only for one in which nothing was ever begun."""
        if self.progress.attempts:
            raise ValueError(f"{self.path} holds steps that were begun")
        os.ftruncate(self._descriptor, 0)
        self.events, self.progress = [], Progress()

    def close(self) -> None:
        """Let go of the file and its lock; a file without an event leaves no trace."""
        if not self.events:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(f"{self.path} is in use by {_holder(self.path)}") from error


def read(path: Path) -> tuple[list[Recorded], int]:
    """Read a state file without its lock: its events, and how many bytes hold whole lines."""
    with _refused(path):
        raw = path.read_bytes()
    sound_bytes = raw.rfind(b"\n") + 1
    events: list[Recorded] = []
    for number, line in enumerate(raw[:sound_bytes].splitlines(), start=1):
        try:
            event = RECORDED.validate_json(line)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            raise RefusedError(
                f"{path}:{number}: not an event of a state file ({where}: {fault['msg']}); "
                "nothing was changed: put the file back as it was, or move it away and run 'recover'"
            ) from error
        if (number == 1) != isinstance(event, Opened):
            raise RefusedError(f"{path}:{number}: the header belongs in the first line, and only there")
        if isinstance(event, Opened) and event.format != FORMAT:
            raise RefusedError(f"{path}: has format {event.format}; this version reads format {FORMAT}")
        events.append(event)
    return events, sound_bytes


def _holder(path: Path) -> str:
    """Say who holds a state file, since when, and doing what, as far as its events tell."""
    events, _ = read(path)
    began = [event for event in events if isinstance(event, RunBegan)]
    if not began:
        return "another run that has not begun yet"
    holder, doing = began[-1], events[-1].event.replace("_", " ")
    step = getattr(events[-1], "step", "")
    return (
        f"{holder.user}@{holder.host}, process {holder.pid}, since {holder.at:%Y-%m-%d %H:%M:%S} UTC; "
        f"last event: {doing} {step}".rstrip()
    )


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Say that a file cannot be used, before anything is done that it should remember."""
    try:
        yield
    except OSError as error:
        raise RefusedError(
            f"nothing was changed: {path}: {error.strerror}; mend that, or name another place with --state"
        ) from error
