"""Run the machine's own programs, and say what went wrong in words that help."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from orchestrator.errors import OrchestratorError

PACKAGES: Mapping[str, str] = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "ss": "iproute2",
    "mount": "mount",
    "umount": "mount",
    "nsenter": "util-linux",
    "setsid": "util-linux",
    "chroot": "coreutils",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
}


class LabError(OrchestratorError):
    """The lab cannot do what was asked: the machine lacks something, or one of its programs refused."""

    exit_code = 5


def require(*programs: str) -> None:
    """Refuse to go on unless each of those programs is installed; name the Debian packages to install."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES.get(program, program) for program in missing}))
        raise LabError(f"this machine has no {', '.join(missing)}. On Debian: apt-get install {packages}")


def run(
    argv: Sequence[str],
    *,
    timeout_s: float = 30.0,
    check: bool = True,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it printed; a failure is a LabError that quotes it."""
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            cwd=cwd,
            env=env,
        )
    except subprocess.TimeoutExpired as cause:
        raise LabError(f"{' '.join(argv)}: still running after {timeout_s:g} s") from cause
    except FileNotFoundError as cause:
        package = PACKAGES.get(argv[0])
        hint = f"; on Debian: apt-get install {package}" if package else ""
        raise LabError(f"{argv[0]}: {cause.strerror}{hint}") from cause
    if check and done.returncode != 0:
        said = (done.stderr or done.stdout).strip() or "nothing printed"
        raise LabError(f"{' '.join(argv)}: exit {done.returncode}: {said[-2000:]}")
    return done


def run_attached(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path | None) -> int:
    """Run a program at this terminal and return its exit code; with ``log``, what it prints goes there."""
    with ExitStack() as stack:
        stack.enter_context(_interrupts_left_to_the_program())
        output = stack.enter_context(log.open("wb")) if log else None
        errors = subprocess.STDOUT if log else None
        return subprocess.run(argv, check=False, cwd=cwd, env=env, stdout=output, stderr=errors).returncode


@contextmanager
def _interrupts_left_to_the_program() -> Iterator[None]:
    """While a program runs at this terminal, Ctrl-C is its own affair: it may want to end in good order."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def wait_until(holds: Callable[[], bool], what: str, *, timeout_s: float, pause_s: float = 0.05) -> None:
    """Look again and again until it holds; after ``timeout_s`` seconds raise a LabError that says what."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not so after {timeout_s:g} s")
        time.sleep(pause_s)
