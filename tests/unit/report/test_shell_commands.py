"""Commands to paste do what the operation does, twice as well as once, and bring no secret with them."""

import getpass
import grp
import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from engine.world import make_cluster
from support.targets import target

from orchestrator.host.operations import (
    Edit,
    EditFile,
    MakeDirectory,
    Operation,
    Remove,
    RemoveDirectory,
    ReplaceFile,
    Run,
    Secret,
    Write,
)
from orchestrator.plan.model import Clients
from orchestrator.plan.sections import ClientFile, ClientUnit
from orchestrator.report.review import shell

USER, GROUP = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name


def paste(*operations: Operation) -> subprocess.CompletedProcess[str]:
    lines = [line for operation in operations for line in shell.commands(operation)]
    text = "\n".join(("( set -eu", *lines, "echo ok )"))
    return subprocess.run(["sh"], input=text, capture_output=True, text=True, check=False)


def pasted(*operations: Operation) -> None:
    done = paste(*operations)
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.endswith("ok\n")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        '[Service]\nEnvironment="A=b c"\n',
        "no end of a line",
        "",
        "END\nEND_\n$HOME `id` \\ 'x' \"y\"\n",
        "\tä\n\n\n",
    ],
    ids=["lines", "no newline", "empty", "quotes", "blanks"],
)
def test_a_file_is_written_byte_for_byte_with_its_mode(tmp_path: Path, text: str) -> None:
    folder, path = tmp_path / "a folder", tmp_path / "a folder" / "it's.conf"
    operations = (
        MakeDirectory(str(folder), 0o750, USER, GROUP),
        Write(str(path), text, 0o640, USER, GROUP),
    )
    for _ in range(2):
        pasted(*operations)
        assert text == path.read_bytes().decode()
        assert (0o750, 0o640) == (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777)
        assert [path] == list(folder.iterdir())


def test_an_edit_is_exact_keeps_the_mode_and_touches_nothing_that_somebody_has_changed(
    tmp_path: Path,
) -> None:
    path, text = tmp_path / "etcd.conf", "name: a\nurl: http://ä:1 # here\nlast: http\n"
    path.write_text(text)
    path.chmod(0o604)
    first, last = text.encode().index(b"http:"), text.encode().rindex(b"http")
    edits = (Edit(2, first, "http://ä:1", "https://ä:1"), Edit(3, last, "http", "it's https"))
    behind = EditFile("", edits, "", "").applied(text.encode()).decode()
    edit = EditFile(str(path), edits, sha256(text), sha256(behind))
    pasted(edit)
    assert behind == path.read_text()
    assert 0o604 == path.stat().st_mode & 0o777
    pasted(edit.undone)
    assert text == path.read_text()

    path.write_text(f"{text}# by hand\n")
    done = paste(edit)
    assert "ok\n" not in done.stdout
    assert f"{text}# by hand\n" == path.read_text()


def test_removing_and_what_is_used_stays(tmp_path: Path) -> None:
    gone, used = tmp_path / "gone", tmp_path / "used"
    for folder in (gone, used):
        folder.mkdir()
        (folder / "file").write_text("")
    (used / "theirs").write_text("")
    for _ in range(2):
        for folder in (gone, used):
            pasted(Remove(str(folder / "file")), RemoveDirectory(str(folder)))
    assert [used] == list(tmp_path.iterdir())


def test_what_fails_ends_the_block(tmp_path: Path) -> None:
    done = paste(Run(("false",)), Write(str(tmp_path / "never"), "", 0o644, USER, GROUP))
    assert ("", 1) == (done.stdout, done.returncode)
    assert [] == list(tmp_path.iterdir())


def test_a_password_is_typed_and_not_printed() -> None:
    run = Run(("sh", "-c", 'echo "$A $LOGIN"'), (("A", "b c"), ("LOGIN", Secret("root:pass"))))
    text = "\n".join(shell.commands(run))
    assert "pass" not in text
    environment = {**os.environ, "LOGIN": "typed"}
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False, env=environment)
    assert "b c typed\n" == done.stdout
    assert "type it first" in paste(run).stderr


def test_a_key_is_brought_from_where_the_plan_has_it_and_never_shown(tmp_path: Path) -> None:
    member = target(tmp_path, {}, make_cluster(tmp_path))
    key = Write("/etc/etcd2/server1-key.pem", Secret("the key itself\n"), 0o600, "etcd", "etcd")
    brought = " ".join(shell.brought(key, member))
    assert str(member.etcd.key) in brought
    assert "root@198.18.0.101" in brought
    assert f"UserKnownHostsFile={member.host.ssh.known_hosts}" in brought
    assert "the key itself" not in brought + "\n".join(shell.commands(key))
    assert key.sha256 in "\n".join(shell.commands(key))
    assert () == shell.brought(Write("/etc/etcd2/ca.pem", "a certificate"), member)


def test_a_clients_new_file_is_brought_from_where_the_plan_has_it(tmp_path: Path) -> None:
    file = ClientFile(path="/etc/patroni/config.yml", content=tmp_path / "{name}.yml")
    clients = Clients(units=(ClientUnit(unit="patroni", files=(file,)),))
    cluster = make_cluster(tmp_path).model_copy(update={"clients": clients})
    member = target(tmp_path, {}, cluster)
    replaced = ReplaceFile(file.path, Secret("new"), "0" * 64, "1" * 64)
    assert str(tmp_path / "server1.yml") in " ".join(shell.brought(replaced, member))
    assert () == shell.brought(replaced.undone, member)
