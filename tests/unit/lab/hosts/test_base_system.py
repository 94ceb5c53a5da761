"""The base system: built once, under another name, and only used when complete."""

import os
from pathlib import Path

import pytest

from orchestrator.lab.hosts import base_system
from orchestrator.lab.machine.programs import LabError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORCHESTRATOR_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path / "cache"


def debootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "debootstrap").write_text(f"#!/bin/sh -e\nfor root; do :; done\n{script}\n")
    (programs / "chroot").write_text("#!/bin/sh -e\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


TREE = (
    'mkdir -p "$root/etc/ssh" "$root/etc/systemd/system/multi-user.target.wants" "$root/var"; echo built >&2'
)


def test_a_base_system_is_built_once(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    debootstrap(tmp_path, monkeypatch, f'{TREE}; touch "$root/etc/ssh/ssh_host_rsa_key"')
    reported: list[str] = []
    built = base_system.ensure(reported.append)
    assert built == cache / f"base-{base_system.digest()}"
    assert [] == list((built / "etc/ssh").iterdir())
    assert (built / "etc/systemd/system/apt-daily.timer").readlink() == Path("/dev/null")
    assert built == base_system.ensure(reported.append)
    assert 1 == len(reported)


def test_a_failed_build_is_reported_and_never_used(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debootstrap(tmp_path, monkeypatch, f"{TREE}; echo E: no such mirror >&2; exit 3")
    with pytest.raises(LabError, match=r"(?s)exit 3.*no such mirror"):
        base_system.ensure()
    assert not (cache / f"base-{base_system.digest()}").exists()


def test_what_an_interrupted_build_left_is_built_anew(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = cache / f"base-{base_system.digest()}.unfinished"
    half.mkdir(parents=True)
    (half / "stale").touch()
    debootstrap(tmp_path, monkeypatch, TREE)
    assert not (base_system.ensure() / "stale").exists()
    assert not half.exists()


def test_another_recipe_is_another_base(monkeypatch: pytest.MonkeyPatch) -> None:
    before = base_system.digest()
    monkeypatch.setattr(base_system, "INCLUDED", (*base_system.INCLUDED, "less"))
    assert before != base_system.digest()


def test_without_root_it_says_so(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root"):
        base_system.ensure()
    assert not cache.exists()
