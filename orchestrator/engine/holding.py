"""Holding a state file: its lock, on the very file to which the path leads, and who has it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.engine import disk, lines
from orchestrator.errors import LockedError, RefusedError
from orchestrator.text import escaped

_TRIES = 100  # at the lock of a file that others make, lock and remove meanwhile


def open_locked(path: Path) -> int:
    """Open a state file and lock it: the very file to which the path leads, now that it is locked."""
    for _ in range(_TRIES):
        with refused(path):
            try:
                descriptor = disk.open_plain(path, for_writing=True)
            except FileExistsError:
                continue  # somebody has made it meanwhile
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if disk.is_at(descriptor, path):
                    return descriptor
            except BlockingIOError as error:
                raise LockedError(
                    f"{path} is in use by {_holder(path, descriptor)}. Wait until it is over; how far it is: "
                    "orchestrator status PLAN"
                ) from error
            except OSError:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its last holder has removed it meanwhile
    raise LockedError(f"{path} other processes keep creating and removing it")


def is_in_use(path: Path) -> bool:
    """Whether a process has a state file open under its lock now; looking does not keep anybody from it."""
    try:
        descriptor = disk.open_plain(path)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _holder(path: Path, descriptor: int) -> str:
    """Say who holds a state file, since when, and doing what, as far as its events tell; closes it."""
    try:
        content = lines.parse(path, disk.read(descriptor))
    except (RefusedError, OSError):
        return "another run, whose state file cannot be read"
    finally:
        os.close(descriptor)
    holder = content.progress.began
    if holder is None:
        return "another run that has not begun yet"
    last = content.events[-1]
    doing, step = last.event.replace("_", " "), getattr(last, "step", "")
    return escaped(
        f"{holder.user}@{holder.host}, process {holder.pid}, since {holder.at:%Y-%m-%d %H:%M:%S} UTC; "
        f"last event: {doing} {step}".rstrip(),
        keep="",
    )


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Say that a file cannot be used, before anything is done that it should remember."""
    try:
        yield
    except OSError as error:
        raise RefusedError(
            f"nothing was changed: {path}: {error.strerror}; fix that, or name another place with --state"
        ) from error
