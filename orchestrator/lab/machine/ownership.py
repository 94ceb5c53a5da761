"""Directories that nobody else may change: the lab keeps private keys there, and an operator's data."""

import os
import stat
from pathlib import Path

from orchestrator.lab.machine.programs import LabError

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make_own(path: Path) -> None:
    """Make the directory unless it is there; LabError if it, or a link to it, is not ours alone."""
    try:
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    except FileExistsError as cause:
        raise LabError(f"{path} is no directory") from cause
    found = path.stat()
    if {path.lstat().st_uid, found.st_uid} != {os.geteuid()}:
        raise LabError(f"{path} belongs to another user: the lab keeps private keys and data there")
    if found.st_mode & _OTHERS_WRITE:
        raise LabError(
            f"others may write in {path} ({stat.S_IMODE(found.st_mode):04o}), and the lab keeps private keys "
            "and data there: see what is in it, and remove it"
        )
