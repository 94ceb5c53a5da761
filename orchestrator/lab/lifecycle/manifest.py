"""The manifest: what a lab is about to make, written down first, so that all of it can be removed."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from orchestrator import commandline
from orchestrator.lab.hosts import host
from orchestrator.lab.machine import cgroups, network, processes
from orchestrator.lab.machine.ownership import make_own
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.provisioning import plan_copy
from orchestrator.plan.model import Frozen

STATE = Path("/run/orchestrator-lab")
WORK = Path("/var/tmp/orchestrator-lab")  # noqa: S108 - make_own() refuses it if others may write there
MARKER = ".orchestrator-lab"


class Place(Frozen):
    """One host's network namespace and directory."""

    namespace: str
    directory: Path


class Manifest(Frozen):
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
        make_own(path)
    if any(directory.iterdir()):
        if not (directory / MARKER).exists():
            raise LabError(f"{directory} holds files that are not the lab's: name an empty directory")
        for path in directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
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


def write(manifest: Manifest) -> None:
    """Write the manifest, whole or not at all."""
    path = _path(manifest.prefix)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(manifest.model_dump_json())
    unfinished.replace(path)


def read(prefix: str) -> Manifest | None:
    """Return the manifest of the lab of that prefix, or None if there is none."""
    try:
        return Manifest.model_validate_json(_path(prefix).read_text())
    except FileNotFoundError:
        return None
    except ValidationError as cause:
        raise LabError(f"{_path(prefix)} cannot be read: {cause}") from cause


def erase(prefix: str) -> None:
    """Remove what a manifest names, and then itself; safe to do again, and after a start that failed."""
    manifest = read(prefix)
    if manifest is None:
        return
    for place in manifest.hosts:
        processes.halt(place.namespace)
    processes.end(network.pids(manifest.bastion), grace_s=2.0)
    for place in manifest.hosts:
        cgroups.remove(place.namespace)
        host.discard(place.directory, place.namespace)
        network.remove(place.namespace)
    network.remove(manifest.bastion)
    (manifest.directory / plan_copy.PASSWORD).unlink(missing_ok=True)  # it may be the operator's own
    _check_gone(manifest)
    _path(prefix).unlink()


def _check_gone(manifest: Manifest) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    left = [str(place.directory) for place in manifest.hosts if f" {place.directory}/root " in mounts]
    namespaces = (manifest.bastion, *(each.namespace for each in manifest.hosts))
    left += [name for name in namespaces if network.exists(name)]
    if left:
        again = commandline.command("lab", "down")
        raise LabError(f"the lab is not all gone: {', '.join(left)}; run: {again}")


def _path(prefix: str) -> Path:
    return STATE / f"{prefix}.json"
