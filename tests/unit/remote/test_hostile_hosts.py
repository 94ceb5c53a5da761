"""Hosts that say what no host of ours says, or say it for ever, cannot be reached, and nobody waits."""

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import paramiko
import pytest
from support.ssh_sites import HELLO, Site, site
from unit.remote.shells import ShellChannel, cluster_of

from orchestrator.errors import HostUnreachableError
from orchestrator.host.operations import Job
from orchestrator.plan.model import Ssh
from orchestrator.remote import job
from orchestrator.remote.conversation import Conversation, EndedError
from orchestrator.remote.ssh import SshHosts
from orchestrator.remote.untrusted import Bounded

__all__ = ["site"]

HELLO_LINE = "orchestrator-hello boot.1 present"
JOB = Job("d1", "h1", (), 0.5)

# In place of sh: it says that it is root, and answers a job with what the test has put there.
_HOST = """#!/bin/bash
case $2 in
  "sh -s -- "*" "*) . "${0%/*}/says" ;;
  "sh -s -- "*) echo; echo "orchestrator-uid 0 ${2##* }" ;;
  *) . "${0%/*}/looks" ;;
esac
"""


def says(site: Site, script: str, of: str = "says") -> None:
    """Let the host answer every job, or every look, with what a script of bash prints."""
    for name, text in (("sh", _HOST), (of, script)):
        (site.directory / "bin" / name).write_text(text)
        (site.directory / "bin" / name).chmod(0o755)


def unreachable(site: Site, gate_s: float = 0.0) -> str:
    with site.executor(gate_s=gate_s) as executor, pytest.raises(HostUnreachableError) as raised:
        executor.perform(JOB)
    assert raised.value.reason.isprintable()
    return raised.value.reason


GARBAGE = [
    "orchestrator-hello",
    "orchestrator-hello a b c",
    "orchestrator-hello a unheard-of",
    r"orchestrator-hello \xff\xfe missing",
    "orchestrator-result 0 aGk=",
    "orchestrator-end 3",
    HELLO_LINE + r"\norchestrator-result",
    HELLO_LINE + r"\norchestrator-result x aGk=",
    HELLO_LINE + r"\norchestrator-result 0 aGk= more",
    HELLO_LINE + r"\norchestrator-result 0 a",
    HELLO_LINE + r"\norchestrator-result 0 \xc3\xa4",
    HELLO_LINE + r"\norchestrator-result -1 aGk=",
    HELLO_LINE + r"\norchestrator-result 256 aGk=",
    HELLO_LINE + r"\norchestrator-result 99999999999999999999999 aGk=",
    HELLO_LINE + r"\norchestrator-result 1_0 aGk=",
    HELLO_LINE + r"\norchestrator-hello boot.1 present",
    HELLO_LINE + "\norchestrator-result 0 " + base64.b64encode(b"x" * 70_000).decode(),
]


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_a_host_that_says_garbage_of_a_job_cannot_be_reached(site: Site, text: str) -> None:
    (site.directory / "bin" / "text").write_text(text)
    says(site, """printf '%b\\n' "$(cat "${0%/*}/text")"; sleep 0.1""")
    reason = unreachable(site)
    assert "its answer cannot be read: " in reason
    assert reason.endswith(("job d1 is in doubt", "job d1 was not sent"))


def test_a_line_without_an_end_is_not_read_for_ever(site: Site) -> None:
    says(site, f"echo {HELLO_LINE}; printf 'orchestrator-result 0 '; head -c 40M /dev/zero | tr '\\0' A")
    assert "its answer cannot be read: a line of more than 16777216 bytes" in unreachable(site)


ENDLESS = {
    "silence behind the greeting": f"echo {HELLO_LINE}; exec cat >/dev/null",
    "waiting lines": f"echo {HELLO_LINE}; while echo orchestrator-waiting; do sleep 0.02; done",
    "noise": f"echo {HELLO_LINE}; while echo noise; do sleep 0.02; done",
    "a letter at a time": f"echo {HELLO_LINE}; while printf x; do sleep 0.02; done",
    "hanging up behind the greeting": f"echo {HELLO_LINE}",
    "hanging up behind a waiting line": f"echo {HELLO_LINE}; echo orchestrator-waiting",
    "no greeting": "exec cat >/dev/null",
}


@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
def test_whatever_a_host_does_a_job_is_given_up_in_time(
    site: Site, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_GRACE_S", 2.5)  # in which a busy machine connects
    says(site, script)
    began = time.monotonic()
    reason = unreachable(site, gate_s=0.5)
    assert time.monotonic() - began < 15  # 3.5 s: the deadline, the grace, the patience; and one last try
    if "no greeting" not in script and HELLO_LINE in script:
        assert reason.endswith(", and no result within 3.5 s; job d1 is in doubt")


def test_a_host_with_another_boot_each_time_is_left_at_the_second(site: Site) -> None:
    says(site, "echo orchestrator-hello boot.$RANDOM present")
    assert "rebooted in the middle of d1" in unreachable(site, gate_s=60)


def test_what_a_host_says_is_shown_escaped(site: Site) -> None:
    says(site, r"""printf '\x1b]0;title\x07\x1b[31m\n'; echo it is so >&2; exit 3""", "looks")
    with site.executor() as executor, pytest.raises(HostUnreachableError) as raised:
        executor.look([HELLO])
    assert str(raised.value) == "h1: connection lost: it is so"
    says(site, r"""printf '\x1b]0;title\x07 \xe2\x80\xae\n'; exit 3""", "looks")
    with site.executor() as executor, pytest.raises(HostUnreachableError) as raised:
        executor.look([HELLO])
    assert str(raised.value) == r"h1: connection lost: \x1b]0;title\x07 \u202e"


FIRST_WORDS = [
    b"",
    b"\n" * 200,
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"SSH-2.0\r\n",
    b"SSH-2.0-x\r\n" + b"\0" * 64,
    b"SSH-2.0-x\r\n" + b"\xff" * 64,
    b"SSH-2.0-x\r\n" + b"\x00\x00\x00\x0c\x0a\x63" + b"\0" * 30,
    b"\xff\xfe\r\n",
    b"x" * (3 << 20),
]


@contextmanager
def speaking(words: bytes) -> Iterator[int]:
    """A listener that says one thing to everybody, and hangs up."""

    def serve() -> None:
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return
            with stream:
                try:
                    stream.sendall(words)
                    stream.shutdown(socket.SHUT_WR)
                    while stream.recv(4096):
                        pass
                except OSError:
                    pass

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def reached(tmp_path: Path, host: str, port: int) -> SshHosts:
    key = tmp_path / "id"
    paramiko.RSAKey.generate(2048).write_private_key_file(str(key))
    there = Ssh(
        host="h1",
        port=port,
        user="root",
        identity_file=key,
        known_hosts=tmp_path / "none",
        become="none",
        config="none",
    )
    hosts = SshHosts(cluster_of(h1=there), sleep=lambda _: None)
    hosts._connections["h1"]._ssh = there.model_copy(update={"host": host})
    return hosts


@pytest.mark.parametrize("words", FIRST_WORDS, ids=range(len(FIRST_WORDS)))
def test_a_listener_that_speaks_no_ssh_cannot_be_reached(tmp_path: Path, words: bytes) -> None:
    with speaking(words) as port, reached(tmp_path, "127.0.0.1", port) as executor:
        with pytest.raises(HostUnreachableError) as raised:
            executor.look([HELLO])
        assert raised.value.reason.isprintable()


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "ä" * 70, ".", "\x00", "[", "fe80::1%nowhere"])
def test_an_address_that_is_none_cannot_be_reached(tmp_path: Path, host: str) -> None:
    with reached(tmp_path, host, 22) as executor, pytest.raises(HostUnreachableError):
        executor.look([HELLO])


@contextmanager
def connected() -> Iterator[tuple[Bounded, socket.socket]]:
    ours, theirs = socket.socketpair()
    bounded = Bounded(ours)
    with closing(bounded), theirs:
        yield bounded, theirs


def test_a_packet_that_is_announced_too_long_is_not_read() -> None:
    with connected() as (bounded, theirs):
        theirs.sendall(b"x")
        bounded.trust()
        assert bounded.recv(1 << 18) == b"x"
        with pytest.raises(paramiko.SSHException, match="a packet of 262145 bytes"):
            bounded.recv((1 << 18) + 1)


def test_a_host_that_is_not_known_yet_is_not_heard_without_end() -> None:
    def pump(bounded: Bounded, theirs: socket.socket) -> int:
        heard = 0
        for _ in range(300):
            theirs.sendall(b"x" * 8192)
            heard += len(bounded.recv(8192))
        return heard

    with connected() as sockets, pytest.raises(paramiko.SSHException, match="before it logged us in"):
        pump(*sockets)
    with connected() as (bounded, theirs):
        bounded.trust()
        assert pump(bounded, theirs) > 1 << 20


class Flooding(ShellChannel):
    """A channel over which stderr has no end."""

    def recv_stderr_ready(self) -> bool:
        return True

    def recv_stderr(self, size: int, /) -> bytes:
        return b"x" * size


class Ending(ShellChannel):
    """A channel whose last words arrive with its end, just behind the look whether there are any."""

    last = b""

    def recv_ready(self) -> bool:
        return False

    def recv_stderr_ready(self) -> bool:
        if self.eof_received:
            return bool(self.last)
        self.last, self.eof_received = b"why it ended", 1
        return False

    def recv_stderr(self, _size: int, /) -> bytes:
        said, self.last = self.last, b""
        return said


def test_the_last_words_of_a_command_are_heard_before_its_end() -> None:
    with closing(Ending(("true",))) as channel, pytest.raises(EndedError, match="why it ended"):
        Conversation(channel, time.monotonic).line()


def test_stderr_without_an_end_is_not_kept() -> None:
    ticks = iter(range(10_000))
    with closing(Flooding(("sleep", "0.1"))) as channel:
        conversation = Conversation(channel, lambda: next(ticks) / 100)
        with pytest.raises(TimeoutError, match=r"no answer within 10 s; it said: …x{300}$"):
            conversation.line()
        assert len(conversation._stderr) < 10_000


def test_a_host_that_takes_nothing_is_given_up_in_time() -> None:
    now = 0.0

    class Full(ShellChannel):
        def send(self, data: bytes, /) -> int:  # noqa: ARG002
            nonlocal now
            now += 1
            return 1

    with closing(Full(("true",))) as channel, pytest.raises(TimeoutError, match="no answer within 10 s"):
        Conversation(channel, lambda: now).say(b"x" * 1000)
    assert now == 10


def test_what_runs_in_place_of_our_command_is_not_taken_for_it(site: Site) -> None:
    says(site, "exit 0")
    host = _HOST.replace("${2##* }", "another")
    (site.directory / "bin" / "sh").write_text(host)
    assert "something else ran instead of our command" in site.refusal()


def test_only_words_that_every_login_shell_takes_alike_are_sent(site: Site) -> None:
    with site.executor() as executor:
        for word in ("a b", "a;b", "$(id)", "!x", "a'b", "", "a\nb", "~", "*", "{a}", "é"):
            with (
                pytest.raises(AssertionError, match="the same to every shell"),
                executor._connections["h1"].talk("sh", "-s", "--", word),
            ):
                pass
