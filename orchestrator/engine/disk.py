"""Getting bytes onto the disk, so that they are there when a call returns, and off plain files only."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from orchestrator.errors import UsageError

LARGEST_BYTES = 64 * 1024 * 1024  # of a file that is read whole: a long run's state file has some 100 KB
_BEGINNING_BYTES = 4096  # of a file, by which it is known

# A pipe would keep whoever opens it waiting, a terminal would become ours, and both may be somebody's trap.
_CAREFULLY = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotAFileError(OSError):
    """What lies there is no plain file, or none of ours, or more than can be read."""


def open_plain(path: Path, *, for_writing: bool = False) -> int:
    """Open a plain file, and for writing make it if nothing is there; never waits. Raises OSError."""
    flags = _CAREFULLY | (os.O_RDWR | os.O_APPEND if for_writing else os.O_RDONLY)
    try:
        _refuse_kind(path.stat())  # a device may do something as soon as it is opened
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        if path.is_symlink():
            words = f"it is a symbolic link to {path.readlink()}, which is not there"
            raise NotAFileError(errno.ENOENT, words) from None
        if not for_writing:
            raise
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _refuse_kind(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read(descriptor: int) -> bytes:
    """Read a file from its beginning, whole; raises OSError, too, if it is larger than we ever write one."""
    content = bytearray()
    while chunk := os.pread(descriptor, 1024 * 1024, len(content)):
        content += chunk
        if len(content) > LARGEST_BYTES:
            raise NotAFileError(errno.EFBIG, f"it is larger than {LARGEST_BYTES} bytes")
    return bytes(content)


def is_at(descriptor: int, path: Path) -> bool:
    """Whether a path still leads to the file that was opened there."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def write(descriptor: int, content: bytes) -> None:
    """Write all of it and wait until the disk has it; OSError if it takes only a part, or nothing."""
    rest = memoryview(content)
    while rest:  # a disk that is nearly full takes a part first, and says why with the next one
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def write_new(path: Path, content: bytes, *, may_replace: bool = False, mode: int | None = 0o600) -> None:
    """Put a file there, whole or not at all, with a ``mode``; OSError if one is there already.

    Without a mode it has the one that any new file has.
    """
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(fresh, flags, 0o666 if mode is None else 0o600)
    try:
        if mode is not None:
            os.fchmod(descriptor, mode)  # whatever the umask is
        write(descriptor, content)
        if may_replace:
            fresh.replace(path)
        else:
            os.link(fresh, path)
        sync_directory(path.parent)
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            fresh.unlink()


def write_own(path: Path, content: bytes, mark: bytes) -> None:
    """Put a file where a person wants it, whole or not at all; a link stays, and leads to it.

    OSError. What lies there is replaced only if it is empty or has the ``mark`` of such files of ours in its
    beginning: UsageError for anything else, which may be a plan or somebody's only key.
    """
    try:
        _refuse_foreign(path, mark)
    except NotAFileError as error:
        reason = f"{path}: {error.strerror}, and stays as it is: name another one with --out"
        raise UsageError(reason) from error
    write_new(path.resolve(), content, may_replace=True)


def _refuse_foreign(path: Path, mark: bytes) -> None:
    with suppress(FileNotFoundError):
        descriptor = open_plain(path)
        try:
            beginning = os.pread(descriptor, _BEGINNING_BYTES, 0)
        finally:
            os.close(descriptor)
        if beginning and mark not in beginning:
            raise NotAFileError(errno.EEXIST, "another file is there already")


def sync_directory(path: Path) -> None:
    """Wait until the disk has the names in a directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_kind(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no plain file")
        raise NotAFileError(errno.EINVAL, f"it is {kind}, and no plain file")
