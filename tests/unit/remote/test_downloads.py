"""Downloads: a script's output arrives whole in a file, or not at all, and nobody's fault is another's."""

import gzip
import os
import resource
import shutil
import time
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from support.ssh_sites import Site, site
from support.waiting import until
from unit.remote.shells import ShellChannel

from orchestrator.errors import HostUnreachableError, RefusedError
from orchestrator.host.operations import Secret
from orchestrator.host.questions import Answer, Download
from orchestrator.remote.conversation import Conversation
from orchestrator.remote.downloading import download

__all__ = ["site"]

SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]
SIZE = 9_000_000  # several parts
FINE = b64encode(b"\0rc=0").decode()
PART = "orchestrator-part "
BYTES = "head -c 9000000 /dev/urandom | tee copy"


def wanted(folder: Path, script: str, most_bytes: int = SIZE, **more: object) -> Download:
    into = folder / "into"
    into.touch(mode=0o600)
    return Download("h1", f"cd {folder} && {script}", (), into, most_bytes, 20.0, **more)  # type: ignore[arg-type]


def downloaded(question: Download, program: str = "sh") -> Answer:
    with closing(ShellChannel((program, "-s"))) as channel:
        return download(Conversation(channel, time.monotonic), question)


@pytest.mark.parametrize("program", SHELLS)
def test_what_a_script_prints_arrives_in_a_private_file(tmp_path: Path, program: str) -> None:
    question = wanted(tmp_path, f"{BYTES}; echo said >&2")
    assert Answer(0, "", "said\n") == downloaded(question, program)
    assert (tmp_path / "copy").read_bytes() == question.into.read_bytes()
    assert 0o600 == question.into.stat().st_mode & 0o777


def test_nothing_is_something(tmp_path: Path) -> None:
    question = wanted(tmp_path, "cat", secret=Secret("a 'word'"))
    assert Answer(0, "") == downloaded(question)
    assert b"a 'word'\n" == question.into.read_bytes()
    assert Answer(0, "") == downloaded(wanted(tmp_path, "cat"))
    assert b"" == question.into.read_bytes()


def test_a_failure_is_told_behind_what_came(tmp_path: Path) -> None:
    answer = downloaded(wanted(tmp_path, "echo half; echo why >&2; exit 3"))
    assert (3, "why") == (answer.exit_status, answer.reason)
    late = replace(wanted(tmp_path, "sleep 9"), timeout_s=0.2)
    assert "no answer in time" == downloaded(late).reason


def test_more_than_was_announced_is_refused_however_well_it_was_compressed(tmp_path: Path) -> None:
    question = wanted(tmp_path, "head -c 50000000 /dev/zero", most_bytes=SIZE)
    with pytest.raises(ValueError, match="larger than was announced"):
        downloaded(question)
    assert question.into.stat().st_size <= SIZE


def says(folder: Path, *lines: str) -> ShellChannel:
    words = "\n".join(("orchestrator-hello", *lines, f"orchestrator-answer {FINE}"))
    return ShellChannel(("sh", "-c", f"echo '{words}'; cat > {folder}/heard"))


WHOLE = b64encode(gzip.compress(b"x", mtime=0)).decode()


@pytest.mark.parametrize(
    "part",
    [
        "",
        "=",
        b64encode(gzip.compress(b"x" * 99, mtime=0)[:-3]).decode(),
        f"{WHOLE}\n{PART}{WHOLE}",
        b64encode(gzip.compress(b"x", mtime=0) + b"x").decode(),
    ],
)
def test_what_is_garbled_or_cut_short_is_no_copy(tmp_path: Path, part: str) -> None:
    refused = pytest.raises(ValueError, match=r"garbled|cut short|nothing|behind its end")
    with closing(says(tmp_path, f"{PART}{part}")) as channel, refused:
        download(Conversation(channel, time.monotonic), wanted(tmp_path, "true"))


def test_parts_that_do_not_end_are_not_waited_for(tmp_path: Path) -> None:
    ticks = map(float, count())
    parts = (f"{PART}{b64encode(bytes([one])).decode()}" for one in gzip.compress(os.urandom(3000)))
    with closing(says(tmp_path, *parts)) as channel, pytest.raises(TimeoutError, match="within 26 s"):
        download(Conversation(channel, lambda: next(ticks)), wanted(tmp_path, "true"))


def test_what_others_may_read_or_have_put_there_is_not_written(tmp_path: Path) -> None:
    question, other = wanted(tmp_path, BYTES), tmp_path / "other"
    other.write_text("as it was")
    other.chmod(0o600)
    question.into.unlink()
    question.into.symlink_to(other)
    with pytest.raises(RefusedError, match="into on this machine: Too many levels of symbolic links"):
        downloaded(question)
    question = replace(question, into=other)
    other.chmod(0o640)
    with pytest.raises(RefusedError, match="other on this machine is no private file of yours"):
        downloaded(question)
    with pytest.raises(RefusedError, match="/dev/full on this machine is no private file"):
        downloaded(replace(question, into=Path("/dev/full")))
    assert "as it was" == other.read_text()
    other.unlink()
    with pytest.raises(RefusedError, match="other on this machine: No such file"):
        downloaded(question)


def test_a_full_disk_here_is_not_the_hosts_fault(site: Site, tmp_path: Path) -> None:
    question = wanted(tmp_path, BYTES)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with site.executor() as hosts:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        try:
            with pytest.raises(RefusedError, match=f"{question.into} on this machine: File too large"):
                hosts.look([question])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert Answer(0, "") == hosts.look([question])[question]
    assert (tmp_path / "copy").read_bytes() == question.into.read_bytes()


def test_a_script_ends_when_nobody_listens_any_more(site: Site, tmp_path: Path) -> None:
    ended = f"trap 'rm -f {tmp_path}/left' EXIT; trap 'exit 1' PIPE HUP TERM; touch {tmp_path}/left; "
    endless = wanted(tmp_path, f"{ended} while :; do head -c 100000 /dev/urandom || exit; done", 400_000)
    with site.executor() as hosts, pytest.raises(HostUnreachableError, match="larger than was announced"):
        hosts.look([endless])
    until(lambda: not (tmp_path / "left").exists())
