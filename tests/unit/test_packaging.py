"""What is built and installed is the whole program, and every dependency is pinned once, within its range."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.installed import ROOT, environment, shell

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
PINNED = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", LOCK, re.MULTILINE)
}


def built(kind: str, source: Path, destination: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(destination)],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (found,) = destination.iterdir()
    return found


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    with environment("etcd-orchestrator") as folder:
        yield folder


def said(folder: Path, cwd: Path, command: str) -> str:
    done = shell(command, cwd, f"{folder}/bin:/usr/bin:/bin")
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_the_wheel_holds_every_file_of_the_program_and_the_plans(installed: Path) -> None:
    wheel = next((installed.parent / "wheel").iterdir())
    ours = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "orchestrator").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = files_of(wheel)
    assert ours == {name for name in found if name.startswith("orchestrator/")}
    plans = {path.name for path in (ROOT / "plans").glob("*.yaml")}
    shared = {name.rpartition("/share/etcd-orchestrator/plans/")[2] for name in found - ours}
    assert plans == shared


def test_what_is_installed_works_on_its_own_plans(installed: Path, tmp_path: Path) -> None:
    assert "Move a running etcd cluster" in said(installed, tmp_path, "orchestrator --help")
    assert "Move a running etcd cluster" in said(installed, tmp_path, "python -m orchestrator --help")
    assert "properties" in json.loads(said(installed, tmp_path, "orchestrator schema plan"))
    shutil.copy(installed / "share" / "etcd-orchestrator" / "plans" / "three-members.yaml", tmp_path)
    said(installed, tmp_path, "orchestrator certs three-members.yaml")
    (tmp_path / "keys").mkdir()
    for name in ("id_ed25519", "known_hosts"):
        (tmp_path / "keys" / name).touch()
    review = said(installed, tmp_path, "orchestrator plan --offline three-members.yaml")
    assert "Migration bridge of cluster three-members" in review


def test_a_source_distribution_makes_the_same_wheel(installed: Path, tmp_path: Path) -> None:
    wheel = next((installed.parent / "wheel").iterdir())
    archive = built("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(archive) as sources:
        sources.extractall(tmp_path, filter="data")
    again = built("wheel", tmp_path / archive.name.removesuffix(".tar.gz"), tmp_path / "wheel")
    assert files_of(wheel) == files_of(again)


@pytest.mark.exhaustive
def test_one_file_is_the_whole_program_and_names_itself(tmp_path: Path) -> None:
    target = tmp_path / "orchestrator.pyz"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE"))}
    cache = {"PEX_ROOT": str(tmp_path / "cache")}  # an empty one: nothing of before is there to help
    subprocess.run(
        ["make", "zipapp", "--old-file=setup", f"VENV={sys.prefix}", f"ZIPAPP={target}"],
        cwd=ROOT,
        check=True,
        env=clean | cache,
        capture_output=True,
        timeout=300,
    )
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    export = f"export PEX_ROOT={cache['PEX_ROOT']};"
    helped = shell(f"{export} ./orchestrator.pyz --help", tmp_path, path)
    assert "Move a running etcd cluster" in helped.stdout, helped.stderr
    refused = shell(f"{export} ./orchestrator.pyz nonsense", tmp_path, path)
    assert (64, f"error: No such command 'nonsense'. See: {target} --help\n") == (
        refused.returncode,
        refused.stderr,
    )


def test_each_dependency_is_a_range_that_takes_the_pinned_version_and_later_fixes() -> None:
    for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["otel"]):
        wanted = Requirement(line)
        assert PINNED[canonicalize_name(wanted.name)] in wanted.specifier, line
        assert {"=="}.isdisjoint({one.operator for one in wanted.specifier}), line
        *head, last = PINNED[canonicalize_name(wanted.name)].split(".")
        assert ".".join([*head, str(int(last) + 1)]) in wanted.specifier, "the next fix"


def test_the_lock_pins_each_with_its_hashes_and_names_no_index() -> None:
    assert "://" not in LOCK
    blocks = re.findall(
        r"^[\w.-]+==\S+ \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", LOCK, re.MULTILINE
    )
    assert LOCK == "".join(blocks)
    for line in PROJECT["optional-dependencies"]["dev"]:
        wanted = Requirement(line)
        assert PINNED[canonicalize_name(wanted.name)] in wanted.specifier, line
