"""The program over fake hosts, as a command to start."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from support import on_fake_hosts

NOTHING_MORE: Mapping[str, str] = {}


def command(folder: Path, *arguments: str, job_s: float = 0.0) -> list[str]:
    """Return the command line; each job takes ``job_s`` seconds."""
    return [sys.executable, str(Path(on_fake_hosts.__file__)), str(folder), str(job_s), *arguments]


def environment(more: Mapping[str, str] = NOTHING_MORE) -> dict[str, str]:
    """Return an environment in which it finds what it imports."""
    tests = Path(on_fake_hosts.__file__).parents[1]
    path = os.pathsep.join([str(tests), str(tests.parent)])
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "200", **more}
