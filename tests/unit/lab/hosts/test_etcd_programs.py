"""Which etcd the lab's hosts run: a version is fetched once, and whoever cannot be had is named."""

import os
from pathlib import Path

import pytest

from orchestrator.lab.hosts import etcd_programs
from orchestrator.lab.hosts.etcd_programs import OWN
from orchestrator.lab.machine.programs import LabError

APT = 'echo "$@" >> "$LOG"; case "$*" in *download*) touch one.deb;; esac'
DPKG = 'mkdir -p "$3/usr/bin"; for each in etcd etcdctl; do echo $each > "$3/usr/bin/$each"; done'


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base system, and an empty cache that only root of another machine could write."""
    monkeypatch.setenv("ORCHESTRATOR_LAB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    base = tmp_path / "cache/base"
    (base / "etc/apt").mkdir(parents=True)
    (base / "etc/apt/sources.list").write_text("deb http://mirror.example/debian bookworm main\n")
    return base


def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> Path:
    """Put programs of ours before the machine's; what apt is called with stands in the file returned."""
    place, log = tmp_path / "bin", tmp_path / "log"
    place.mkdir(exist_ok=True)
    for name, script in scripts.items():
        (place / name.replace("_", "-")).write_text(f"#!/bin/sh -e\n{script}\n")
        (place / name.replace("_", "-")).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(log))
    return log


def test_the_base_systems_own_needs_nothing(base: Path, tmp_path: Path) -> None:
    assert (base,) == etcd_programs.layers(OWN, base, tmp_path, pytest.fail)


def test_a_version_is_fetched_once_from_the_mirror_of_the_base(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = programs(tmp_path, monkeypatch, apt_get=APT, dpkg_deb=DPKG)
    reported: list[str] = []
    tree, below = etcd_programs.layers("3.5.16", base, tmp_path, reported.append)
    assert (tree, base) == etcd_programs.layers("3.5.16", base, tmp_path, reported.append)
    assert base == below
    assert "etcd\n" == (tree / "usr/bin/etcd").read_text()
    assert 0o755 == (tree / "usr/bin/etcdctl").stat().st_mode & 0o777
    assert 1 == len(reported)
    update, download = log.read_text().splitlines()
    assert "Error-Mode=any" in update
    assert download.endswith("download etcd-server=3.5.16* etcd-client=3.5.16*")
    assert ["usr"] == [path.name for path in tree.iterdir()]


def test_what_cannot_be_fetched_is_named_with_what_is_there(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch, apt_get="echo E: no such mirror >&2; exit 100")
    (base.parent / "etcd-3.3.25").mkdir()
    with pytest.raises(LabError) as refused:
        etcd_programs.layers("3.5.30", base, tmp_path, lambda _: None)
    assert "etcd 3.5.30 could not be fetched" in str(refused.value)
    assert "no such mirror" in str(refused.value)
    assert "Without fetching there are: 3.3.25, 3.4.23;" in str(refused.value)

    programs(tmp_path, monkeypatch, apt_get=APT, dpkg_deb=DPKG)
    assert 2 == len(etcd_programs.layers("3.5.30", base, tmp_path, lambda _: None))


def test_a_directory_is_copied_and_its_own_files_stay_as_they_are(base: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name in ("etcd", "etcdctl", "notes"):
        (own / name).write_text(name)
    etcd_programs.check(str(own))
    tree, below = etcd_programs.layers(str(own), base, tmp_path / "lab", pytest.fail)
    assert base == below
    assert {"etcd", "etcdctl"} == {path.name for path in (tree / "usr/bin").iterdir()}
    assert 0o755 == (tree / "usr/bin/etcd").stat().st_mode & 0o777


def test_what_is_neither_a_version_nor_such_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"etcd 3\.9\.1: neither .*\n?.*3\.3\.25, 3\.4\.23, 3\.5\.1, 3\.5\.16"):
        etcd_programs.check("3.9.1")
    (tmp_path / "etcd").touch()
    with pytest.raises(LabError, match="there is no etcdctl in it"):
        etcd_programs.check(str(tmp_path))
