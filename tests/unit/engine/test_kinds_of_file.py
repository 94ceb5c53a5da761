"""What is no plain file where the state file should be: refused at once, by everybody who opens it."""

import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.event_logs import EVENTS, write

from orchestrator.engine import disk
from orchestrator.engine.state_file import StateFile, create, progress_of, read
from orchestrator.errors import RefusedError

pytestmark = pytest.mark.timeout(20)

OPENERS: dict[str, Callable[[Path], object]] = {"a run": StateFile, "status": progress_of, "a reader": read}


def a_pipe(path: Path) -> str:
    os.mkfifo(path)
    return "it is a named pipe, and no plain file"


def a_directory(path: Path) -> str:
    path.mkdir()
    return "it is a directory, and no plain file"


def a_device(path: Path) -> str:
    path.symlink_to("/dev/null")
    return "it is a device, and no plain file"


def a_terminal(path: Path) -> str:
    path.symlink_to("/dev/ptmx")
    return "it is a device, and no plain file"


def a_socket(path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
    return "it is a socket, and no plain file"


def a_link_to_nowhere(path: Path) -> str:
    path.symlink_to(path.with_name("gone"))
    return "it is a symbolic link to .*gone, which is not there"


def a_link_to_itself(path: Path) -> str:
    path.symlink_to(path)
    return "Too many levels of symbolic links"


def gigabytes(path: Path) -> str:
    path.touch()
    os.truncate(path, 3 * 1024**3)  # with holes: it takes no room
    return f"it is larger than {disk.LARGEST_BYTES} bytes"


def what_never_ends(path: Path) -> str:
    path.symlink_to("/proc/kmsg")
    return "kmsg|state.jsonl"  # how the kernel says so depends on who asks


KINDS = [
    *(a_pipe, a_directory, a_device, a_terminal, a_socket, a_link_to_nowhere, a_link_to_itself),
    *(gigabytes, what_never_ends),
]


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("make", KINDS)
def test_it_is_refused_at_once_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], str], opener: str
) -> None:
    path = tmp_path / "state.jsonl"
    words = make(path)
    before = path.lstat()
    with pytest.raises(RefusedError, match=words) as refused:
        OPENERS[opener](path)
    assert str(path) in str(refused.value)
    assert (before.st_mode, before.st_size) == (path.lstat().st_mode, path.lstat().st_size)
    assert [path] == list(tmp_path.iterdir())


def test_a_link_to_a_state_file_is_followed_and_stays(tmp_path: Path) -> None:
    path, real = tmp_path / "state.jsonl", tmp_path / "elsewhere.jsonl"
    real.touch()
    path.symlink_to(real)
    with StateFile(path):
        pass
    assert path.is_symlink()
    assert b"" == real.read_bytes()
    write(path)
    assert EVENTS == read(real)[0]


READER = """
import os, pathlib, sys
from orchestrator.engine import state_file
if os.geteuid() == 0:
    os.setuid(int(sys.argv[2]))
for opener in (state_file.StateFile, state_file.read):
    try:
        opener(pathlib.Path(sys.argv[1]))
    except state_file.RefusedError as error:
        print(error)
"""


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    write(path)
    path.chmod(0)  # which keeps out everybody but root, who becomes somebody else
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    nobody = str(pwd.getpwnam("nobody").pw_uid)
    command = [sys.executable, "-c", READER, str(path), nobody]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    words = f"nothing was changed: {path}: Permission denied; fix that, or name another place with --state"
    assert [words] * 2 == done.stdout.splitlines()


def test_no_file_at_all_is_no_progress(tmp_path: Path) -> None:
    assert None is progress_of(tmp_path / "state.jsonl").opened


def test_one_that_is_made_anew_never_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    create(path, EVENTS)
    assert (EVENTS, 0o600) == (read(path)[0], path.stat().st_mode & 0o777)
    whole = path.read_bytes()
    with pytest.raises(RefusedError, match="File exists"):
        create(path, EVENTS[:2])
    assert (whole, [path]) == (path.read_bytes(), list(tmp_path.iterdir()))
