"""What a lab wrote down of itself before it made anything, so that all of it can be found and removed."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from orchestrator import commandline
from orchestrator.cluster.model import Frozen
from orchestrator.lab import cgroups, host, network, processes
from orchestrator.lab.command import LabError

STATE = Path("/run/orchestrator-lab")
WORK = Path("/var/tmp/orchestrator-lab")  # noqa: S108 - prepared() refuses it if it is another user's
MARKER = ".orchestrator-lab"


class Place(Frozen):
    """One host's network namespace and directory."""

    namespace: str
    directory: Path


class Record(Frozen):
    """A lab, as far as it takes to remove it."""

    prefix: str
    directory: Path
    hosts: tuple[Place, ...]

    @property
    def bastion(self) -> str:
        """The bastion's network namespace."""
        return f"{self.prefix}-{network.BASTION}"


def default_directory(prefix: str) -> Path:
    """Return where a lab keeps its plan, keys and logs unless it is told otherwise."""
    return WORK / prefix


def prepared(directory: Path) -> Path:
    """Return the directory made and empty; what an earlier lab left in it goes, anything else is refused."""
    directory = directory.absolute()
    for path in (WORK, directory):
        if path.exists() and path.stat().st_uid != os.geteuid():
            raise LabError(f"{path} belongs to another user: the lab keeps private keys there")
    if directory.exists() and any(directory.iterdir()):
        if not (directory / MARKER).exists():
            raise LabError(f"{directory} holds files that are not the lab's: name an empty directory")
        for path in directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    (directory / MARKER).touch()
    (directory / "logs").mkdir()
    return directory


@contextmanager
def held(prefix: str) -> Iterator[None]:
    """Hold the lab of that prefix: nobody else starts or ends it meanwhile."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / f"{prefix}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise LabError("another program is starting or ending this lab right now") from cause
        yield


def exists(prefix: str) -> bool:
    """Tell whether a lab of that prefix was started and not ended."""
    return _path(prefix).exists()


def write(record: Record) -> None:
    """Write the record, whole or not at all."""
    path = _path(record.prefix)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(record.model_dump_json())
    unfinished.replace(path)


def read(prefix: str) -> Record | None:
    """Return the record of the lab of that prefix, or None if there is none."""
    try:
        return Record.model_validate_json(_path(prefix).read_text())
    except FileNotFoundError:
        return None
    except ValidationError as cause:
        raise LabError(f"{_path(prefix)} cannot be read: {cause}") from cause


def erase(prefix: str) -> None:
    """Remove what a record names, and then the record; safe to do again, and after a start that failed."""
    record = read(prefix)
    if record is None:
        return
    for place in record.hosts:
        processes.halt(place.namespace)
    processes.end(network.pids(record.bastion), grace_s=2.0)
    for place in record.hosts:
        cgroups.remove(place.namespace)
        host.discard(place.directory, place.namespace)
        network.remove(place.namespace)
    network.remove(record.bastion)
    _check_gone(record)
    _path(prefix).unlink()


def _check_gone(record: Record) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    left = [str(place.directory) for place in record.hosts if f" {place.directory}/root " in mounts]
    left += [
        name for name in (record.bastion, *(each.namespace for each in record.hosts)) if network.exists(name)
    ]
    if left:
        again = commandline.command("lab", "down")
        raise LabError(f"the lab is not all gone: {', '.join(left)}; run: {again}")


def _path(prefix: str) -> Path:
    return STATE / f"{prefix}.json"
