"""The copy of the operator's data: private, and gone whatever happens."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.lab.lifecycle import manifest
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.provisioning import private_copy

HELD = """
import sys, time
from pathlib import Path
from orchestrator.lab.provisioning import private_copy
with private_copy.held(Path(sys.argv[1]), []) as file:
    file.write_text("secret")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_nobody_else_may_read_it_and_it_is_gone_after_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / "lab" / "data"
    umask = os.umask(0)
    try:
        with suppress(KeyError), private_copy.held(folder, []) as file:
            assert (0o700, 0o600) == (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777)
            raise KeyError
    finally:
        os.umask(umask)
    assert not folder.exists()


def test_what_a_killed_one_left_goes_and_what_is_in_use_stays(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with subprocess.Popen([sys.executable, "-c", HELD, folder], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert "ready\n" == other.stdout.readline()
        private_copy.clear(folder)
        leaving: list[Callable[[], None]] = []
        with pytest.raises(LabError, match="another rehearsal"), private_copy.held(folder, leaving):
            pass
        assert [] == leaving
        assert "secret" == (folder / private_copy.FILE).read_text()
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert folder.exists()
    with private_copy.held(folder, leaving) as file:
        assert "" == file.read_text()
        private_copy.clear(folder)
        assert file.exists()
        for last in leaving:
            last()
        assert not folder.exists()
    assert [] == leaving
    (folder / "left").mkdir(parents=True)
    private_copy.clear(folder)
    assert not folder.exists()


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775])
def test_a_place_where_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "lab" / "data"
    folder.parent.mkdir()
    folder.parent.chmod(mode)
    reason = f"others may write in {folder.parent}"
    with pytest.raises(LabError, match=reason), private_copy.held(folder, []):
        pass
    with pytest.raises(LabError, match=reason):
        private_copy.clear(folder)
    with pytest.raises(LabError, match=reason):
        manifest.prepared(folder.parent)
    folder.parent.rmdir()
    private_copy.clear(folder)
    assert 0o755 == folder.parent.stat().st_mode & 0o7777


def test_a_place_of_somebody_elses_is_refused_and_a_link_to_it_too(tmp_path: Path) -> None:
    other, link = tmp_path / "other", tmp_path / "link"
    other.mkdir()
    if os.geteuid() == 0:
        os.chown(other, 1, 1)
    else:
        other = Path("/")
    link.symlink_to(other)
    for place in (other, link):
        with pytest.raises(LabError, match=f"{place} belongs to another user"):
            private_copy.clear(place / "data")
        with pytest.raises(LabError, match=f"{place} belongs to another user"):
            manifest.prepared(place)
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match="file is no directory"):
        private_copy.clear(tmp_path / "file" / "data")


def test_a_link_in_the_locks_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "data.lock").symlink_to(tmp_path / "made")
    with pytest.raises(LabError, match=r"data\.lock: Too many levels of symbolic links"):
        private_copy.clear(tmp_path / "data")
    assert not (tmp_path / "made").exists()


def test_a_disk_that_is_too_small_is_refused_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 13_199 << 20  # six times 2000 MiB, and 400 for each host
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free, path=path))
    with pytest.raises(LabError, match=f"13199 MiB left in {tmp_path} on this machine, and 13200 are needed"):
        private_copy.check_room(tmp_path / "not" / "there", 2000 << 20, 3)
    free += 1 << 20
    private_copy.check_room(tmp_path / "not" / "there", 2000 << 20, 3)
