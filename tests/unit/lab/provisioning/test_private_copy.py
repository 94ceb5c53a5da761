"""The copy of the operator's data: private, and gone whatever happens."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.provisioning import private_copy

HELD = """
import sys, time
from pathlib import Path
from orchestrator.lab.provisioning import private_copy
with private_copy.held(Path(sys.argv[1])) as file:
    file.write_text("secret")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_nobody_else_may_read_it_and_it_is_gone_after_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / "lab" / "data"
    umask = os.umask(0)
    try:
        with suppress(KeyError), private_copy.held(folder) as file:
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
        with pytest.raises(LabError, match="another rehearsal"), private_copy.held(folder):
            pass
        assert "secret" == (folder / private_copy.FILE).read_text()
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert folder.exists()
    with private_copy.held(folder) as file:
        assert "" == file.read_text()
        private_copy.clear(folder)
        assert file.exists()
    (folder / "left").mkdir(parents=True)
    private_copy.clear(folder)
    assert not folder.exists()


def test_a_disk_that_is_too_small_is_refused_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 13_199 << 20  # six times 2000 MiB, and 400 for each host
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free, path=path))
    with pytest.raises(LabError, match=f"13199 MiB left in {tmp_path} on this machine, and 13200 are needed"):
        private_copy.check_room(tmp_path / "not" / "there", 2000 << 20, 3)
    free += 1 << 20
    private_copy.check_room(tmp_path / "not" / "there", 2000 << 20, 3)
