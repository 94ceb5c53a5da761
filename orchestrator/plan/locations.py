"""Where the files of a plan lie on the machine that runs the orchestrator."""

import errno
import os
import stat
from pathlib import Path

from orchestrator.text import shown

UNREADABLE = "cannot be read by this user"
MISSING = "does not exist"


def location(folder: Path, text: str) -> Path:
    """Return the absolute path of a file that a plan names, relative to the plan's folder or to ``~/``.

    Raises ValueError if it begins with ``~/`` and nobody knows this user's home.
    """
    try:
        return folder.absolute() / Path(text).expanduser()
    except RuntimeError as cause:
        raise ValueError(
            f"{shown(text)} is in no known place, for this user has no home directory: set HOME, or write "
            "the whole path"
        ) from cause


def read_plain(path: Path, limit_bytes: int) -> bytes:
    """Return a plain file's content, at most so much of it; OSError for a pipe, a device or a directory.

    Nothing is waited for: opening a pipe would take until somebody writes to it.
    """
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        mode, content = os.fstat(file).st_mode, b""
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is not a plain file")
        while len(content) < limit_bytes and (more := os.read(file, limit_bytes - len(content))):
            content += more
        return content
    finally:
        os.close(file)


def problem(path: Path) -> str | None:
    """Return why a file cannot be read, or None if it can."""
    try:
        mode = path.stat().st_mode
    except OSError as cause:
        return MISSING if isinstance(cause, FileNotFoundError) else f"cannot be read ({cause.strerror})"
    if stat.S_ISDIR(mode):
        return "is a directory"
    if not stat.S_ISREG(mode):
        return "is not a plain file"
    return None if os.access(path, os.R_OK) else UNREADABLE
