"""Writing a set of files: all of them appear, each at once, or none does."""

import errno
import os
import stat
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.errors import RefusedError
from orchestrator.pki.issuing import Pair

PUBLIC, PRIVATE, PRIVATE_DIRECTORY = 0o644, 0o600, 0o700


@dataclass(frozen=True, slots=True)
class File:
    """A file to write: where, what (not shown, for it may be a key), and who may read it."""

    path: Path
    content: bytes = field(repr=False)
    mode: int


def of_pair(pair: Pair, certificate: Path, key: Path) -> tuple[File, File]:
    """Return the two files of a pair; only the owner may read the key."""
    return File(key, pair.key_pem, PRIVATE), File(certificate, pair.certificate_pem, PUBLIC)


def write(files: Sequence[File], *, replace: bool) -> None:
    """Write all files, or raise RefusedError and leave everything as it was.

    Each is written beside its place, synced, and put there in one move, so that no reader sees half of one.
    Without ``replace`` nothing that exists is overwritten, not even what appears meanwhile. Missing
    directories are made for the owner alone.
    """
    try:
        with ExitStack() as directories, ExitStack() as passing, ExitStack() as undo:
            for file in files:
                _make_directory(file.path.parent, directories)
            places = [_place(file.path, passing, undo, replace=replace) for file in files]
            staged = [_stage(file, place, passing) for file, place in zip(files, places, strict=True)]
            for temporary, place in zip(staged, places, strict=True):
                temporary.replace(place)
            for directory in {place.parent for place in places}:
                _sync(directory)
            undo.pop_all()
            directories.pop_all()
    except OSError as cause:
        raise RefusedError(
            f"nothing was changed: {cause.filename or files[0].path.parent}: {cause.strerror}"
        ) from cause


def _make_directory(directory: Path, undo: ExitStack) -> None:
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(PRIVATE_DIRECTORY)
        undo.callback(_remove_directory, each)


def _remove_directory(directory: Path) -> None:
    with suppress(OSError):  # somebody else may have put something there, which is none of our business
        directory.rmdir()


def _place(path: Path, passing: ExitStack, undo: ExitStack, *, replace: bool) -> Path:
    """Return where a file goes, after preparing the way back to what is there now."""
    if replace and path.exists():
        place = path.resolve(strict=True)  # a link stays a link
        mode = place.stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe would let us wait, and a device has no end
            raise OSError(errno.EINVAL, "it is not a plain file", str(path))
        old = File(place, place.read_bytes(), stat.S_IMODE(mode))
        undo.callback(_stage(old, place, passing).replace, place)  # a full disk cannot bar the way back
        return place
    if replace and path.is_symlink():
        raise OSError(
            errno.ENOENT, "it is a link that leads nowhere: remove it, or put back what it names", str(path)
        )
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))  # nobody else takes it now
    undo.callback(path.unlink)
    return path


def _stage(file: File, place: Path, passing: ExitStack) -> Path:
    """Write a file beside its place, and onto the disk."""
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name[:100]}.", dir=place.parent)
    temporary = Path(name)
    passing.callback(temporary.unlink, missing_ok=True)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, file.mode)
        stream.write(file.content)
        stream.flush()
        os.fsync(descriptor)
    return temporary


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
