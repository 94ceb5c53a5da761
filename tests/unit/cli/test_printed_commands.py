"""The installed program, and that each command that is printed runs as it is printed."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.installed import NOBODY, environment, shell
from support.ssh_sites import make_key

from orchestrator import commandline
from orchestrator.etcd.checks.preflight import CHECKLIST

SYSTEM = "/usr/bin:/bin"
PLAN = """\
cluster: three-members
members:
  - {name: server1, address: 198.18.0.101, ssh: {host: 127.0.0.1, port: 1}}
  - {name: server2, address: 198.18.0.102, ssh: {host: 127.0.0.2, port: 1}}
  - {name: server3, address: 198.18.0.103, ssh: {host: 127.0.0.3, port: 1}}
ssh: {user: root, identity_file: id, known_hosts: known_hosts}
tls:
  ca: pki/ca.pem
  certificate: pki/{name}.pem
  key: pki/{name}-key.pem
  client_certificate: pki/client.pem
  client_key: pki/client-key.pem
  directory: /etc/etcd2
"""


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    with environment("it's here") as folder:
        yield folder


@pytest.fixture
def desk(installed: Path) -> Iterator[Path]:
    """The folder of an operator who is not root, with a plan."""
    folder = installed.parent / "desk of nobody"
    folder.mkdir()
    (folder / "my plan.yaml").write_text(PLAN)
    make_key(folder / "id")
    (folder / "known_hosts").write_text("")
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def starts(installed: Path) -> list[tuple[str, str, str]]:
    """How the program is started, the PATH there, and the words with which its printed commands begin."""
    bin_ = installed / "bin"
    script, python = commandline.quoted(str(bin_ / "orchestrator")), commandline.quoted(f"{bin_}/python")
    return [
        ("orchestrator", f"{bin_}:{SYSTEM}", "orchestrator "),
        (script, SYSTEM, f"{script} "),
        (f"../{script.replace(str(bin_.parents[1]) + '/', '')}", SYSTEM, ""),
        (f"{python} -m orchestrator", f"{bin_}:{SYSTEM}", f"{python} -m orchestrator "),
    ]


@pytest.mark.parametrize("number", range(4))
def test_what_certs_prints_runs_as_printed_for_a_user_that_is_not_root(
    installed: Path, desk: Path, number: int
) -> None:
    start, path, beginning = starts(installed)[number]
    made = shell(f"{start} certs 'my plan.yaml'", desk, path, user=NOBODY)
    assert 0 == made.returncode, made.stderr
    printed = re.search(r"^Next: (.*)$", made.stdout, re.MULTILINE)
    assert printed is not None
    following = printed.group(1)
    assert following.startswith(beginning)
    assert following.endswith(" run 'my plan.yaml' --dry-run")

    done = shell(following, desk, path, user=NOBODY)
    assert 4 == done.returncode, done.stderr  # it runs: nobody answers at those addresses
    assert ":1: Connection refused" in done.stderr


def test_the_command_to_check_again_is_printed_as_it_runs(installed: Path, desk: Path) -> None:
    path = f"{installed / 'bin'}:{SYSTEM}"
    assert 0 == shell("orchestrator certs 'my plan.yaml'", desk, path, user=NOBODY).returncode
    first = shell("orchestrator check 'my plan.yaml'", desk, path, user=NOBODY)
    printed = re.search(r"check again: (.*)$", first.stderr.strip())
    assert printed is not None
    assert "orchestrator check 'my plan.yaml'" == printed.group(1)
    again = shell(printed.group(1), desk, path, user=NOBODY)
    assert (5, printed.group()) == (again.returncode, again.stderr.strip()[-len(printed.group()) :])


def test_the_command_to_check_again_names_the_state_file_that_was_given(installed: Path, desk: Path) -> None:
    path = f"{installed / 'bin'}:{SYSTEM}"
    assert 0 == shell("orchestrator certs 'my plan.yaml'", desk, path, user=NOBODY).returncode
    first = shell("orchestrator check 'my plan.yaml' --state elsewhere", desk, path, user=NOBODY)
    printed = re.search(r"check again: (.*)$", first.stderr.strip())
    assert printed is not None, first.stderr
    assert "orchestrator check 'my plan.yaml' --state elsewhere" == printed.group(1)
    assert 5 == shell(printed.group(1), desk, path, user=NOBODY).returncode


def test_another_program_of_that_name_on_the_path_is_not_taken_for_ours(installed: Path, desk: Path) -> None:
    other = desk / "bin"
    other.mkdir()
    (other / "orchestrator").write_text("#!/bin/sh\necho not ours\n")
    (other / "orchestrator").chmod(0o755)
    script = commandline.quoted(str(installed / "bin" / "orchestrator"))
    made = shell(f"{script} certs 'my plan.yaml'", desk, f"{other}:{SYSTEM}", user=NOBODY)
    assert f"Next: {script} run" in made.stdout, made.stderr


def test_the_installed_program_works_from_any_folder(installed: Path, desk: Path) -> None:
    path = f"{installed / 'bin'}:{SYSTEM}"
    for arguments in ("--help", "--version", "table", "run --help"):
        done = shell(f"orchestrator {arguments}", desk, path, user=NOBODY)
        assert (0, "") == (done.returncode, done.stderr), arguments
        assert done.stdout
    (desk / "bad.yaml").write_text("cluster: x\nmembers: none\n")
    bad = shell("orchestrator check bad.yaml", desk, path, user=NOBODY)
    assert 3 == bad.returncode
    assert "bad.yaml:2:" in bad.stderr
    unreadable = shell("orchestrator check /root/plan.yaml", desk, path, user=NOBODY)
    assert 3 == unreadable.returncode
    assert "Permission denied" in unreadable.stderr


@pytest.mark.parametrize(
    "word",
    ["plan.yaml", "my plan.yaml", "it's", "a\nb", "\x1b[31m", "\u202e\x9b", "\udcff", "$(id)", "\\'\x07a"],
)
def test_a_quoted_word_is_one_line_and_comes_back_from_the_shell(word: str, tmp_path: Path) -> None:
    quoted = commandline.quoted(word)
    assert quoted.isprintable()
    done = shell(f"printf %s {quoted} | od -An -tx1", tmp_path, SYSTEM)
    assert word.encode(errors="surrogateescape") == bytes.fromhex(done.stdout.replace("\n", ""))


def test_each_command_of_the_checklist_becomes_one_of_this_program_and_plan() -> None:
    plan = Path("my plan.yaml")
    named = [item.fix for item in CHECKLIST if "PLAN" in item.fix]
    assert named
    for fix in named:
        reported = commandline.spelled(fix, commandline.of_plan(plan))
        assert f"{commandline.join(commandline.program())} " in reported
        assert "'my plan.yaml'" in reported
        assert "PLAN" not in reported


def test_a_plan_like_an_option_is_not_taken_for_one() -> None:
    assert "./-x.yaml" == commandline.argument(Path("-x.yaml"))
    assert "orchestrator check ./-x.yaml" == commandline.spelled(
        "orchestrator check PLAN", commandline.of_plan(Path("-x.yaml"))
    ).replace(f"{sys.executable} -m ", "")
