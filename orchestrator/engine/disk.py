"""Getting bytes onto the disk, so that they are there when a call returns."""

import os
from pathlib import Path


def write(descriptor: int, content: bytes) -> None:
    """Write all of it and wait until the disk has it; OSError if it takes only a part, or nothing."""
    rest = memoryview(content)
    while rest:  # a disk that is nearly full takes a part first, and says why with the next one
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def copy(source: Path, target: Path) -> None:
    """Copy a file, for its owner alone; a copy that fails leaves nothing."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write(descriptor, source.read_bytes())
        sync_directory(target.parent)
    except OSError:
        target.unlink()
        raise
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Wait until the disk has the names in a directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
