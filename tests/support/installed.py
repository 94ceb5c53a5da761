"""The program as ``pip install .`` puts it into a virtual environment that every user can use."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orchestrator

ROOT = Path(orchestrator.__file__).parents[1]
NOBODY = 65534


def interpreter() -> str:
    """Return a Python that other users can run, too: this one may lie in root's own folder."""
    found = Path("/usr/bin") / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return str(found) if found.exists() else sys.executable


@contextmanager
def environment(name: str) -> Iterator[Path]:
    """Build the wheel and install it into a fresh virtual environment of that name.

    The packages that it needs are those of this very environment: fetching them anew would take long.
    """
    above = Path(tempfile.mkdtemp(prefix="orchestrator-installed-"))
    try:
        above.chmod(0o755)
        folder = above / name
        _run(interpreter(), "-m", "venv", "--without-pip", str(folder))
        _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(above / "wheel"), cwd=ROOT)
        python, wheel = str(folder / "bin" / "python"), next((above / "wheel").iterdir())
        offline = ("--no-index", "--no-deps", "--no-cache-dir", "--quiet", "--disable-pip-version-check")
        _run(sys.executable, "-m", "pip", "--python", python, "install", *offline, str(wheel))
        shared = [path for path in sys.path if path.endswith("site-packages")]
        site = next(folder.glob("lib/python*/site-packages"))
        (site / "shared.pth").write_text("\n".join(shared) + "\n")
        yield folder
    finally:
        shutil.rmtree(above)


def shell(command: str, cwd: Path, path: str, *, user: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command line in a shell whose PATH is that and no more, as another user if one is given."""
    return subprocess.run(
        ["bash", "-c", command],
        cwd=cwd,
        env={"PATH": path, "HOME": str(cwd), "LC_ALL": "C.UTF-8", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        user=user,
        group=user,
        extra_groups=[] if user is not None else None,
    )


def _run(*command: str, cwd: Path | None = None) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    subprocess.run(command, check=True, cwd=cwd, env=clean, capture_output=True, timeout=120)
