import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import bastion

NAMELESS = 54_321  # a uid without an entry in /etc/passwd


def who(code: str, uid: int, **environment: str | bytes) -> str:
    """What a process of that user prints, with nothing in its environment but this and what Python needs."""
    clean = {name.encode(): os.fsencode(value) for name, value in environment.items()}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import json, os; from orchestrator import bastion; os.setuid({uid}); {code}",
        ],
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(bastion.__file__).parents[1],
    )
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


def test_a_user_without_a_name_is_reported_by_number() -> None:
    uid = NAMELESS if os.getuid() == 0 else os.getuid()  # only root can be somebody else
    expected = f"uid {uid}" if uid == NAMELESS else pwd.getpwuid(uid).pw_name
    assert f"{expected}\n" == who("print(bastion.user_name())", uid)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"anna", "anna"),
        ("änna".encode(), "änna"),
        (b"\xffann\xe4", "\\udcffann\\udce4"),
        (b"\x1b[31manna\nroot", "\\x1b[31manna\\nroot"),
        (b"a" * 5000, "a" * 256),
    ],
)
def test_a_users_name_is_one_line_that_any_file_can_hold(name: bytes, expected: str) -> None:
    reported = who("print(json.dumps(bastion.user_name()))", os.getuid(), LOGNAME=name, PYTHONUTF8="1")
    assert expected == json.loads(reported)
    json.loads(reported).encode()  # no lone surrogate


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"0123456789abcdef0123456789abcdef\n", "0123456789abcdef0123456789abcdef"),
        (b"uninitialized\n", ""),
        (b"", ""),
        (b"\xff\xfe\x00garbage\x1b[31m", ""),
        (b"0" * 100_000, ""),
    ],
)
def test_a_machines_id_is_an_id_or_nothing(
    content: bytes, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bastion, "MACHINE_ID", tmp_path / "machine-id")
    bastion.MACHINE_ID.write_bytes(content)
    assert expected == bastion.machine_id()


def test_a_machine_without_an_id_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bastion, "MACHINE_ID", tmp_path / "machine-id")
    assert bastion.machine_id() == ""
    bastion.MACHINE_ID.mkdir()
    assert bastion.machine_id() == ""
    bastion.MACHINE_ID.rmdir()
    os.mkfifo(bastion.MACHINE_ID)
    assert bastion.machine_id() == ""


def test_a_machines_name_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, expected in (("bastion", "bastion"), ("b\udcff\n", "b\\udcff"), ("", "unknown")):
        monkeypatch.setattr("socket.gethostname", lambda name=name: name)
        assert expected == bastion.host_name()
