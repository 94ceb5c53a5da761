"""Root writes nothing into a directory where somebody else could put a link in a file's place."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.scripts import perform, shell

from orchestrator.host.operations import MakeDirectory, Write
from orchestrator.trusted import UNTRUSTED

NOBODY = 65534
ROUNDS = 60

# Swaps the file that root is about to write, by the name that it has meanwhile, for a link to one of root's.
ATTACK = """
import os, stat, sys
directory, target = sys.argv[1:]
os.setgroups([]); os.setgid(65534); os.setuid(65534)
name, link = f"{directory}/.server1.pem.orchestrator", f"{directory}/link"
os.symlink(target, link)
print("ready", flush=True)
while True:
    try:
        if stat.S_ISREG(os.lstat(name).st_mode):
            os.rename(link, name)
            os.symlink(target, link)
    except OSError:
        pass
"""

needs_root = pytest.mark.lab  # a second user, and files that are root's


@needs_root
def test_a_swapped_file_never_opens_one_of_roots_to_everybody(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    theirs = tmp_path / "theirs"
    for above in (tmp_path, *tmp_path.parents[:3]):
        above.chmod(above.stat().st_mode | 0o011)
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    secret = tmp_path / "secret"
    opened = 0
    command = [sys.executable, "-c", ATTACK, str(theirs), str(secret)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as attacker:
        assert attacker.stdout is not None
        assert b"ready\n" == attacker.stdout.readline()
        for _ in range(ROUNDS):
            secret.unlink(missing_ok=True)
            secret.write_text("root's own")
            secret.chmod(0o600)
            perform([Write(str(theirs / "server1.pem"), "x\n", 0o644, "root", "root")], tmp_path / "job")
            opened += secret.stat().st_mode & 0o077 != 0 or secret.read_text() != "root's own"
        attacker.kill()
    assert 0 == opened, f"{opened} of {ROUNDS}"


@needs_root
@pytest.mark.parametrize(
    ("mode", "owner", "why"),
    [
        (0o755, 0, ""),
        (0o755, NOBODY, "belongs to nobody"),
        (0o777, 0, "may be written to by everybody (mode 777)"),
        (0o1777, 0, "may be written to by everybody (mode 1777)"),
        (0o775, 0, ""),
    ],
)
def test_a_directory_is_roots_alone_or_it_is_said_why_not(
    tmp_path: Path, mode: int, owner: int, why: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    os.chown(place, owner, 0)
    place.chmod(mode)
    for path in (place, place / "missing", place / "missing" / "more"):
        reported = shell(f"{UNTRUSTED}\nuntrusted '{path}'").stdout.strip()
        assert (f"{place} {why}" if why else "") == reported
    done = perform([MakeDirectory(str(place / "made"), 0o755, "root", "root")], tmp_path)
    assert (done.returncode == 0) == (not why)


@needs_root
def test_a_directory_that_somebody_else_can_move_is_not_roots_alone(tmp_path: Path) -> None:
    above = tmp_path / "above"
    (above / "roots").mkdir(parents=True)
    os.chown(above, NOBODY, NOBODY)
    assert f"{above} belongs to nobody" == shell(f"{UNTRUSTED}\nuntrusted '{above}/roots'").stdout.strip()
    link = tmp_path / "link"
    link.symlink_to(above / "roots")
    assert f"{above} belongs to nobody" == shell(f"{UNTRUSTED}\nuntrusted '{link}'").stdout.strip()
