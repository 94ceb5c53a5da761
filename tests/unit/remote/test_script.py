import getpass
import grp
import hashlib
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.scripts import perform, shell
from unit.remote.shells import ShellChannel

from orchestrator.host import places
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
from orchestrator.host.questions import Answer, Script
from orchestrator.remote.conversation import Conversation, converse, prepare
from orchestrator.remote.host_locks import RELEASE, TAKE
from orchestrator.remote.job import _STARTER
from orchestrator.remote.job_archive import _END, _RUN
from orchestrator.remote.job_script import job_script, render
from orchestrator.remote.script import look_script, parse_look
from orchestrator.runbook.model import describe

ME, MINE = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
WEIRD = "a b'c\"d\\e$HOME`id`\n*;&|<é>!"
SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]

# fmt: off
RENDERED = [
    (MakeDirectory("/etc/pki", 0o700, "etcd", "etcd"),            "make directory /etc/pki (0700 etcd:etcd)"),
    (Write("/etc/x", "hi\n", 0o600, "etcd", "etcd"),              "write /etc/x (0600 etcd:etcd, 3 bytes, sha256 98ea6e4f216f…)"),  # noqa: E501  # one row, one line
    (Write("/etc/k", Secret("hi\n")),                             "write /etc/k (0644 root:root, 3 bytes, sha256 98ea6e4f216f…)"),  # noqa: E501  # one row, one line
    (EditFile("/etc/a b", (Edit(2, 5, "x", "y"), Edit(7, 9, "", "z\n")), "a" * 64, "b" * 64),
     "edit '/etc/a b' (lines 2, 7; sha256 aaaaaaaaaaaa… -> bbbbbbbbbbbb…)"),
    (ReplaceFile("/etc/a b", Secret("hi\n"), "a" * 64, "b" * 64), "replace '/etc/a b' (sha256 aaaaaaaaaaaa… -> bbbbbbbbbbbb…)"),  # noqa: E501  # one row, one line
    (ReplaceFile("/etc/x", None, "a" * 64, "b" * 64),             "put back /etc/x (sha256 aaaaaaaaaaaa… -> bbbbbbbbbbbb…)"),  # noqa: E501  # one row, one line
    (Remove("/etc/a b"),                                          "remove '/etc/a b'"),
    (RemoveDirectory("/etc/pki"),                                 "remove directory /etc/pki if it is empty"),
    (Run(("systemctl", "daemon-reload")),                         "run systemctl daemon-reload"),
    (Run(("etcdctl", "a b"), (("ETCDCTL_API", "3"),)),            "run ETCDCTL_API=3 etcdctl 'a b'"),
    (Run(("etcdctl",), (("ETCDCTL_USER", Secret("root:hi")),)),   "run ETCDCTL_USER='***' etcdctl"),
    (Run(("echo", "two\nlines'\\\x1b[0m")),                       r"run echo $'two\nlines\'\\\x1b[0m'"),
]
# fmt: on


@pytest.mark.parametrize(("operation", "line"), RENDERED)
def test_an_operation_is_one_readable_line(operation: Operation, line: str) -> None:
    assert line == render(operation)


@pytest.mark.parametrize("program", SHELLS)
def test_checks_are_answered_in_turn_with_output_errors_and_status(program: str) -> None:
    answers = {
        Script("h", 'printf "%s|" "$0" "$@"', (WEIRD, "")): Answer(0, f"check|{WEIRD}||"),
        Script("h", "echo out; echo err >&2; exit 3"): Answer(3, "out\n", "err"),
        Script("h", "cat"): Answer(0, ""),
        Script("h", "cat", secret=Secret(WEIRD)): Answer(0, f"{WEIRD}\n"),
        Script("h", "printf 'rc=5'; printf 'rc=6' >&2"): Answer(0, "rc=5", "rc=6"),
        Script("h", "printf 'a\\000b'; printf 'c\\000d' >&2"): Answer(0, "a\0b", "cd"),
        Script("h", "echo orchestrator-end 7"): Answer(0, "orchestrator-end 7\n"),
        Script("h", "echo early; sleep 30", timeout_s=0.2): Answer(124, "early\n"),
        Script("h", "exec nosuchprogram 2>/dev/null"): Answer(127, ""),
        Script("h", "head -c 300000 /dev/zero | tr '\\000' x"): Answer(0, "x" * 300000),
    }
    output = shell(look_script(tuple(answers)), program=program).stdout

    assert answers == parse_look(tuple(answers), f"noise of a login shell\n{output}")


@pytest.mark.parametrize("program", SHELLS)
def test_a_shell_answers_any_number_of_looks_whatever_its_environment_was(program: str) -> None:
    before = {"PATH": f"/odd dir:{os.environ['PATH']}", "ETCDCTL_ENDPOINTS": "x", "HTTPS_PROXY": "y"}
    environment, leaving, next_one = (
        Script("h", text) for text in ("env", "left=behind; exit 1", 'echo "${left-nothing}"')
    )
    with closing(ShellChannel((program, "-s"), before)) as channel:
        conversation = Conversation(channel, time.monotonic)
        prepare(conversation)
        first, second = (converse(conversation, look) for look in ([environment, leaving], [next_one]))

    found = dict(line.split("=", 1) for line in first[environment].stdout.splitlines())
    assert {"HOME", "LC_ALL", "PATH"} == found.keys() - {"PWD", "OLDPWD", "SHLVL", "_"}
    assert f"{before['PATH']}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/opt/bin" == found["PATH"]
    assert Answer(0, "nothing\n") == second[next_one]


def test_a_check_that_ignores_its_deadline_ran_out_of_time() -> None:
    check = Script("h", "trap '' TERM; while :; do sleep 0.05; done", timeout_s=0.1)

    assert parse_look([check], shell(look_script([check])).stdout)[check].exit_status == 124


def test_no_look_script_that_is_cut_short_does_anything(tmp_path: Path) -> None:
    script = look_script([Script("h", f"touch {tmp_path}/seen")])
    for length in range(0, len(script) - len("(orchestrator_look)\n"), 7):
        shell(script[:length])

    assert [] == list(tmp_path.iterdir())


# fmt: off
BROKEN = [
    ("",                                                                            "0 of 1 answers arrived"),
    ("orchestrator-begin\norchestrator-answer aGkAcmM9MA==",                       "1 of 1 answers arrived"),
    ("orchestrator-begin\norchestrator-end 1",                                      "0 of 1 answers arrived"),
    ("orchestrator-answer aGkAcmM9MA==\norchestrator-end 2",                       "1 of 1 answers arrived"),
    ("orchestrator-answer aGkA!\norchestrator-end 1",                              "an answer is garbled"),
    ("orchestrator-answer aGk=\norchestrator-end 1",                                "an answer is garbled"),
    ("orchestrator-answer aGkAaGk=\norchestrator-end 1",                           "an answer is garbled"),
]
# fmt: on


@pytest.mark.parametrize(("output", "complaint"), BROKEN)
def test_a_broken_answer_is_no_answer(output: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_look([Script("h", "echo hi")], output)


@pytest.fixture(autouse=True)
def kept(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "EDITED", str(tmp_path_factory.mktemp("kept") / "edited"))


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """Return the directory that holds a job's payloads."""
    (tmp_path / "job").mkdir()
    return tmp_path / "job"


@pytest.mark.parametrize("program", SHELLS)
def test_a_job_changes_what_it_says_and_may_be_done_twice(beside: Path, tmp_path: Path, program: str) -> None:
    home = tmp_path / f"new {WEIRD.replace('/', '')}" / "pki"
    old = tmp_path / "old"
    old.write_text("old")
    operations: list[Operation] = [
        MakeDirectory(str(home), 0o750, ME, MINE),
        Write(str(home / WEIRD), Secret(WEIRD), 0o600, ME, MINE),
        Write(str(home / "plain"), "one\n", 0o644, ME, MINE),
        Write(str(home / "plain"), "two\n", 0o640, ME, MINE),
        Remove(str(old)),
        Remove(str(tmp_path / "never" / "there")),
        RemoveDirectory(str(home)),
        Run(("sh", "-c", 'umask; printf "%s" "$WHAT$1"', "sh", WEIRD), (("WHAT", WEIRD),)),
    ]
    for _ in range(2):
        done = perform(operations, beside, program)

        assert (0, f"0022\n{WEIRD}{WEIRD}", "") == (done.returncode, done.stdout, done.stderr)
        assert {WEIRD: WEIRD, "plain": "two\n"} == {file.name: file.read_text() for file in home.iterdir()}
        modes = [path.stat().st_mode & 0o7777 for path in (home.parent, home, home / WEIRD, home / "plain")]
        assert [0o755, 0o750, 0o600, 0o640] == modes
        assert not old.exists()


@pytest.mark.parametrize("program", SHELLS)
def test_a_file_of_somebody_elses_is_edited_exactly_and_given_back(
    beside: Path, tmp_path: Path, program: str
) -> None:
    own, old = tmp_path / WEIRD.replace("/", ""), f"first\n{WEIRD}\0\r\nlast"
    own.write_bytes(old.encode())
    own.chmod(0o640)
    at = len(b"first\n")
    pieces = (
        Edit(1, 0, "first", ""),
        Edit(2, at, WEIRD, f"{WEIRD}\n{WEIRD}\n"),
        Edit(4, len(old.encode()), "", "\n"),
    )
    edit = edit_of(str(own), pieces, old.encode())
    for operation, content in ((edit, edit.applied(old.encode())), (edit.undone, old.encode())):
        for _ in range(2):
            done = perform([operation], beside, program)
            assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
            assert (content, 0o640) == (own.read_bytes(), own.stat().st_mode & 0o7777)
            assert [own.name, "job"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_file_that_somebody_has_changed_is_not_edited(beside: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    edit = edit_of(str(own), (Edit(1, 0, "a", "b"),), b"a\n")
    own.write_text("a\n# by hand\n")
    done = perform([edit], beside)
    assert f"{own}: somebody has changed it, and it stays as it is" in done.stderr
    assert (1, "a\n# by hand\n") == (done.returncode, own.read_text())
    own.rename(tmp_path / "moved")
    own.symlink_to("moved")
    assert f"{own}: it is no file any more" in perform([edit], beside).stderr


def test_a_file_that_is_changed_while_it_is_edited_stays_as_it_is(beside: Path, tmp_path: Path) -> None:
    """What is synced in between takes its time on a slow disk."""
    own = tmp_path / "own"
    own.write_text("a\n")
    edit = edit_of(str(own), (Edit(1, 0, "a", "b"),), b"a\n")
    script, _ = job_script([edit])
    slow = script.replace("settle() {", f"settle() {{\n  echo theirs >'{own}'", 1)
    assert slow != script
    done = shell(slow, beside)
    assert (1, "theirs\n") == (done.returncode, own.read_text())
    assert f"{own}: somebody has just changed it" in done.stderr
    assert [] == list(tmp_path.glob(".*"))


def test_what_a_cut_off_edit_has_left_goes_also_where_nothing_is_edited(beside: Path, tmp_path: Path) -> None:
    own, left = tmp_path / "own", tmp_path / ".own.orchestrator"
    own.write_text("a\n")
    left.write_text("a\n")
    edit = edit_of(str(own), (Edit(1, 0, "a", "b"),), b"a\n")
    assert 0 == perform([edit.undone], beside).returncode
    assert ("a\n", False) == (own.read_text(), left.exists())


def test_a_file_is_kept_as_it_was_left(beside: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("a\n")
    own.chmod(0o640)
    edit = edit_of(str(own), (Edit(1, 0, "a", "b"),), b"a\n")
    kept = Path(f"{places.EDITED}{own}")
    for each, text in ((edit, "b\n"), (edit, "b\n"), (edit.undone, "a\n")):
        assert 0 == perform([each], beside).returncode
        assert (text, 0o640) == (kept.read_text(), kept.stat().st_mode & 0o7777)


def replacing(path: Path, text: str) -> ReplaceFile:
    before, after = (hashlib.sha256(each).hexdigest() for each in (path.read_bytes(), text.encode()))
    return ReplaceFile(str(path), Secret(text), before, after)


@pytest.mark.parametrize("program", SHELLS)
def test_a_file_of_a_client_is_replaced_and_given_back_byte_for_byte(
    beside: Path, tmp_path: Path, program: str
) -> None:
    own, old = tmp_path / WEIRD.replace("/", ""), f"password: {WEIRD}\0\r\nlast".encode()
    own.write_bytes(old)
    own.chmod(0o640)
    there = replacing(own, f"{WEIRD}\n")
    kept = Path(f"{places.REPLACED}{own}")
    for operation, content in ((there, f"{WEIRD}\n".encode()), (there.undone, old)):
        for _ in range(2):
            done = perform([operation], beside, program)
            assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
            assert (content, 0o640) == (own.read_bytes(), own.stat().st_mode & 0o7777)
            assert [own.name, "job"] == sorted(path.name for path in tmp_path.iterdir())
            assert (operation is there) == kept.exists()
            assert kept.parent.stat().st_mode & 0o7777 == 0o700
        if kept.exists():  # in a directory that is root's alone
            assert (old, 0o640) == (kept.read_bytes(), kept.stat().st_mode & 0o7777)


def test_a_clients_file_that_somebody_has_changed_is_not_replaced(beside: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("a\n")
    there = replacing(own, "b\n")
    own.write_text("a\n# by hand\n")
    for operation in (there, there.undone):
        done = perform([operation], beside)
        assert f"{own}: somebody has changed it, and it stays as it is" in done.stderr
        assert (1, "a\n# by hand\n") == (done.returncode, own.read_text())
    own.rename(tmp_path / "moved")
    own.symlink_to("moved")
    assert f"{own}: it is no file any more" in perform([there], beside).stderr


def test_a_clients_file_stays_where_nothing_is_kept_of_what_it_was(beside: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("a\n")
    there = replacing(own, "b\n")
    own.write_text("b\n")
    done = perform([there.undone], beside)
    assert f"{own}: what stood in it before is not kept here" in done.stderr
    assert (1, "b\n") == (done.returncode, own.read_text())


def edit_of(path: str, pieces: tuple[Edit, ...], before: bytes) -> EditFile:
    edit = EditFile(path, pieces, hashlib.sha256(before).hexdigest(), "")
    return replace(edit, after=hashlib.sha256(edit.applied(before)).hexdigest())


def test_an_existing_directory_is_left_as_it_is(beside: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(0o711)

    assert perform([MakeDirectory(str(tmp_path / "there"), 0o700, ME, MINE)], beside).returncode == 0
    assert (tmp_path / "there").stat().st_mode & 0o7777 == 0o711


def test_an_empty_directory_is_removed(beside: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert perform([RemoveDirectory(str(tmp_path / "empty"))], beside).returncode == 0
    assert not (tmp_path / "empty").exists()


def test_the_first_failure_stops_a_job_and_is_named(beside: Path, tmp_path: Path) -> None:
    after = tmp_path / "after"
    done = perform([Run(("sh", "-c", "exit 7")), Write(str(after), "x", 0o644, ME, MINE)], beside)

    assert (7, "failed: run sh -c 'exit 7'\n") == (done.returncode, done.stderr)
    assert not after.exists()


def test_a_payload_that_was_damaged_never_reaches_its_target(beside: Path, tmp_path: Path) -> None:
    target = tmp_path / "key"
    target.write_text("old")
    script, _ = job_script([Write(str(target), Secret("new"), 0o600, ME, MINE)])
    (beside / "payload-1").write_text("nev")
    done = shell(script, beside)

    assert done.returncode != 0
    assert "its content is not what was sent" in done.stderr
    assert "failed: write" in done.stderr
    assert {"job", "key"} == {path.name for path in tmp_path.iterdir()}
    assert target.read_text() == "old"


def test_a_failed_write_leaves_no_sibling(beside: Path, tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    done = perform([Write(str(tmp_path / "key"), Secret("x"), 0o600, ME, MINE)], beside)

    assert done.returncode != 0
    assert {"job", "key"} == {path.name for path in tmp_path.iterdir()}


def test_a_command_is_never_a_function_of_the_script(beside: Path, tmp_path: Path) -> None:
    (tmp_path / "keep").touch()
    done = perform([Run(("remove_file", str(tmp_path), "keep"))], beside)

    assert done.returncode == 127
    assert (tmp_path / "keep").exists()


def test_secrets_are_in_the_payload_alone() -> None:
    write = Write("/etc/key", Secret("-----BEGIN PLANTED-----"))
    script, payloads = job_script([write])

    assert {"payload-1": b"-----BEGIN PLANTED-----"} == payloads
    assert "PLANTED" not in script + render(write) + repr(write)


SPY = "tr '\\000' ' ' </proc/$$/cmdline; tr '\\000' ' ' </proc/$PPID/cmdline"


@pytest.mark.parametrize("program", SHELLS)
def test_a_question_reads_its_secret_and_shows_it_to_nobody(program: str) -> None:
    question = Script("h", f'IFS= read -r got; printf "%s\n" "$got"; {SPY}', ("a",), secret=Secret("PLANTED"))
    output = shell(look_script([question]), program=program).stdout
    got, *shown = parse_look([question], output)[question].text.split("\n")
    assert ("PLANTED", False) == (got, "PLANTED" in "".join(shown))
    assert "timeout" in "".join(shown)
    assert "PLANTED" not in repr(question)


def test_a_command_has_its_secret_and_shows_it_to_nobody(beside: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    spying = f'exec >{seen}; printf "%s|%s\n" "$A" "$B"; cat; {SPY}'
    run = Run(("sh", "-c", spying), (("A", "plain"), ("B", Secret("PLANTED: 'x' "))))
    script, payloads = job_script([run])
    assert {"payload-1": b"PLANTED: 'x' \n"} == payloads
    done = perform([run], beside)

    assert (0, "") == (done.returncode, done.stderr)
    first, rest = seen.read_text().split("\n", 1)
    assert ("plain|PLANTED: 'x' ", False) == (first, "PLANTED" in rest)
    assert "PLANTED" not in script + render(run) + repr(run) + str(describe(run))
    assert describe(run) == describe(Run(run.argv, (("A", "plain"), ("B", Secret("another")))))


JOB = job_script(
    [
        MakeDirectory(f"/x/{WEIRD}", 0o700),
        Write(f"/x/{WEIRD}", Secret(WEIRD)),
        EditFile(f"/x/{WEIRD}", (Edit(1, 3, WEIRD, WEIRD),), "a" * 64, "b" * 64),
        ReplaceFile(f"/x/{WEIRD}", Secret(WEIRD), "a" * 64, "b" * 64),
        Remove(f"/x/{WEIRD}"),
        RemoveDirectory(f"/x/{WEIRD}"),
        Run(("echo", WEIRD, ""), (("A", WEIRD),)),
        Run(("echo", WEIRD, ""), (("A", Secret(WEIRD)),)),
    ]
)[0]
LOOK = look_script(
    [Script("h", f'printf "%s" "$1" {WEIRD}', (WEIRD, "")), Script("h", "true", secret=Secret("x"))]
)


@pytest.mark.parametrize(
    "script",
    [LOOK, JOB, _STARTER, _RUN, _END, TAKE, RELEASE],
    ids=["look", "job", "starter", "run", "end", "take", "release"],
)
def test_shellcheck_passes(script: str) -> None:
    program = Path(sys.executable).with_name("shellcheck")
    meant = "SC2016,SC1003"  # a quoted word holds what looks like an expansion: here it has to stay as it is
    checked = subprocess.run(
        [program, "--norc", "-s", "sh", "-e", meant, "-"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout == ""
