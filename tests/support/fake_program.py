"""The program over fake hosts, as a command to start."""

import os
import subprocess
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


def called(
    folder: Path, *arguments: str, env: Mapping[str, str] = NOTHING_MORE, umask: int = -1
) -> subprocess.CompletedProcess[str]:
    """Run it to its end in a folder, and return what it printed; without an ``umask`` ours is its own."""
    return subprocess.run(
        command(folder, *arguments),
        cwd=folder,
        env=environment(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        umask=umask,
    )
