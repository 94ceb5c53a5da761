"""Where the files of a plan lie on the machine that runs the orchestrator."""

import os
import stat
from pathlib import Path

UNREADABLE = "cannot be read by this user"


def location(folder: Path, text: str) -> Path:
    """Return the absolute path of a file that a plan names, relative to the plan's folder or to ``~/``."""
    return folder.absolute() / Path(text).expanduser()


def problem(path: Path) -> str | None:
    """Return why a file cannot be read, or None if it can."""
    try:
        mode = path.stat().st_mode
    except OSError as cause:
        return (
            "does not exist" if isinstance(cause, FileNotFoundError) else f"cannot be read ({cause.strerror})"
        )
    if stat.S_ISDIR(mode):
        return "is a directory"
    if not stat.S_ISREG(mode):
        return "is not a plain file"
    return None if os.access(path, os.R_OK) else UNREADABLE
