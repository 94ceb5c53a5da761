"""The operator's data on this machine: one file that nobody else reads, there only until the lab has it."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from orchestrator.lab.machine.ownership import make_own
from orchestrator.lab.machine.programs import LabError

FILE = "snapshot.db"
HOST_BYTES = 400 << 20  # a host's own files, and etcd's log with a segment ahead


@contextmanager
def held(folder: Path, on_leaving: list[Callable[[], None]]) -> Iterator[Path]:
    """Yield an empty file in a folder of its own, which nobody else may enter; remove both at the end.

    What an interrupted call has left there goes first. LabError if another one is under way. Until the end,
    ``on_leaving`` has what removes both if the program is left without unwinding.
    """
    with _locked(folder) as is_ours:
        if not is_ours:
            raise LabError("another rehearsal holds a copy of a cluster's data right now")
        _remove(folder)
        folder.mkdir(mode=0o700)
        file = folder / FILE
        file.touch(mode=0o600)
        last = partial(_remove, folder)
        on_leaving.append(last)
        try:
            yield file
        finally:
            last()
            on_leaving.remove(last)


def clear(folder: Path) -> None:
    """Remove what an interrupted call has left, but nothing that is in use."""
    with _locked(folder) as is_ours:
        if is_ours:
            _remove(folder)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    make_own(folder.parent)
    path = folder.with_name(f"{folder.name}.lock")
    try:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as cause:
        raise LabError(f"{path}: {cause.strerror}") from cause
    with os.fdopen(opened, "wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def check_room(folder: Path, most_bytes: int, hosts: int) -> None:
    """Refuse a disk without room for the copy, one more while it is put back, and every host with its own.

    A run saves the data too, on one host.
    """
    needed_mib = (most_bytes * (hosts + 3) + HOST_BYTES * hosts) >> 20
    here = next(place for place in (folder, *folder.parents) if place.exists())
    free_mib = shutil.disk_usage(here).free >> 20
    if free_mib < needed_mib:
        raise LabError(
            f"{free_mib} MiB left in {here} on this machine, and {needed_mib} are needed: {hosts} hosts with "
            f"up to {most_bytes >> 20} MiB of data each, and copies of that meanwhile. Nothing was copied or "
            "booted. Make room there, or leave --with-data out"
        )
