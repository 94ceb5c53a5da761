"""Whatever a host, a listener or a known_hosts file says is read, or refused with words, and nothing else."""

import itertools
import os
import threading
from contextlib import closing, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import EACH, Answer, HttpProbe, Script
from orchestrator.remote import begun
from orchestrator.remote.becoming_root import check_root
from orchestrator.remote.conversation import Conversation, converse
from orchestrator.remote.host_patterns import matches
from orchestrator.remote.http_probe import UNKNOWN, probe
from orchestrator.remote.job import Performance, read_result
from orchestrator.remote.known_hosts import HostKey, read_known_hosts
from orchestrator.remote.login import log_in
from orchestrator.remote.logins import Login
from orchestrator.remote.unlocking import Unlocked
from orchestrator.remote.untrusted import READING, distrusted, tail

BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WORD = st.sampled_from([
    b"orchestrator-hello ", b"orchestrator-result ", b"orchestrator-waiting", b"orchestrator-pending",
    b"orchestrator-begin", b"orchestrator-answer ", b"orchestrator-end ", b"orchestrator-uid ",
    b"orchestrator-rest ", b" cut\n", b"AHJjPTA=",
    b"orchestrator-", b"boot.1 ", b"present", b"missing", b"0 ", b"-1 ", b"125 ", b"1006 ", b"99999999999 ",
    b"aGk=", b"cmM9MA==", b"mark", b"\n", b" ", b"\r", b"\x1b[31m", b"sudo: no", b"=", b"a",
])  # fmt: skip
TALK = st.lists(st.one_of(WORD, WORD, WORD, st.binary(max_size=12)), max_size=24).map(b"".join)


class Reported:
    """A channel to a host that says one thing and ends."""

    def __init__(self, stdout: bytes, stderr: bytes, status: int, size: int) -> None:
        self._left = {1: stdout, 2: stderr}
        self._size = size
        self._pipe = os.pipe()
        os.write(self._pipe[1], b"x")  # always readable: there is something, or the end
        self.closed = False
        self.eof_received = 1
        self.exit_status = status
        self.status_event = threading.Event()
        self.status_event.set()

    def fileno(self) -> int:
        return self._pipe[0]

    def settimeout(self, timeout: float | None, /) -> None: ...

    def send(self, data: bytes, /) -> int:
        return len(data)

    def shutdown_write(self) -> None: ...

    def recv_ready(self) -> bool:
        return bool(self._left[1])

    def recv_stderr_ready(self) -> bool:
        return bool(self._left[2])

    def recv(self, size: int, /) -> bytes:
        return self._take(1, size)

    def recv_stderr(self, size: int, /) -> bytes:
        return self._take(2, size)

    def _take(self, stream: int, size: int) -> bytes:
        size = min(size, self._size)
        taken, self._left[stream] = self._left[stream][:size], self._left[stream][size:]
        return taken

    def close(self) -> None:
        for end in self._pipe:
            os.close(end)


CHANNELS = st.builds(Reported, TALK, st.one_of(st.just(b""), TALK), st.integers(-1, 255), st.integers(1, 64))
LOGIN = Login(
    name="h1",
    host="h1",
    port=22,
    user="anna",
    known_as="h1",
    known_hosts=(Path("known_hosts"),),
    are_named=True,
    is_alone=True,
    become="sudo",
)


@BOUNDED
@given(channel=CHANNELS, kind=st.sampled_from(["job", "look", "together", "root"]))
def test_whatever_a_host_says_it_is_read_or_cannot_be_reached(channel: Reported, kind: str) -> None:
    clock = itertools.count().__next__
    with (
        closing(channel),
        suppress(HostUnreachableError, LoginRefusedError),
        distrusted("h1", "lost", READING),
    ):
        conversation = Conversation(channel, lambda: float(clock()))
        if kind == "job":
            result = Performance(Job("d1", "h1", (), 1)).hold(conversation)
            assert 0 <= result.exit_status <= 1006
        elif kind in {"look", "together"}:
            shares = 1 if kind == "together" else 0
            checks = [Script("h1", f"shift\n{EACH}\n", ("a", word), shares=shares) for word in "bc"]
            assert set(checks) == set(converse(conversation, checks))
        else:
            check_root("h1", LOGIN, conversation, "mark")


@BOUNDED
@given(
    line=st.one_of(st.text(), TALK.map(lambda text: "orchestrator-result " + text.decode(errors="replace")))
)
@example(line="orchestrator-result 1" + "0" * 5000 + " aGk=")
@example(line="orchestrator-result ٣ aGk=")
@example(line="orchestrator-result 0 aGk=\n")
def test_a_result_is_read_or_refused(line: str) -> None:
    with suppress(ValueError):
        assert isinstance(read_result(line), JobResult)


@BOUNDED
@given(stdout=st.one_of(st.text(), TALK.map(lambda text: "run " + text.decode(errors="replace"))))
@example(stdout="run ")
@example(stdout="run ../../x\nheader aGk=\ndeed \x1b\n")
@example(stdout="run a\nheader /w==\n")
def test_what_a_host_remembers_is_read_or_refused(stdout: str) -> None:
    with suppress(ValueError):
        for found in begun.runs("server1").reader(Answer(0, stdout)):
            assert found.run.isalnum()
            assert all(job.isprintable() for job in found.jobs)


@BOUNDED
@given(text=st.text())
def test_what_is_shown_is_one_short_line(text: str) -> None:
    shown = tail(text)
    assert shown.isprintable()
    assert len(shown) <= 301 * 10  # a character may take ten when it is escaped


@cache
def _slowly(pattern: str, name: str) -> bool:
    """Match as the manual says it, without a thought of time."""
    if not pattern or not name:
        return not pattern.strip("*") and not name
    if pattern[0] == "*":
        return _slowly(pattern[1:], name) or _slowly(pattern, name[1:])
    return pattern[0] in {"?", name[0]} and _slowly(pattern[1:], name[1:])


@settings(BOUNDED, max_examples=10 * EXAMPLES)
@given(pattern=st.text("ab*?.", max_size=10), name=st.text("ab.", max_size=10))
def test_a_pattern_matches_what_the_manual_says(pattern: str, name: str) -> None:
    assert _slowly(pattern, name) is matches(pattern, name)


KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
FIELDS = st.sampled_from([
    "h1", "*", "!h1", "[h1]:22", "|1|", "|1|a|b", "|1|YQ==|YQ==", ",", "@revoked", "@cert-authority", "@",
    "#", "ssh-ed25519", "ssh-rsa", KEY, KEY[:-3], "=", "\n", "\r", "\t", " ", "\0", "\u2028", "\x1b[31m", "ä",
])  # fmt: skip
LINES = st.one_of(
    st.binary(),
    st.lists(FIELDS, max_size=20).map(lambda fields: " ".join(fields).encode()),
    st.lists(FIELDS, max_size=20).map(lambda fields: "".join(fields).encode()),
)


@BOUNDED
@given(content=LINES)
def test_any_known_hosts_file_is_read(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_bytes(content)
    known = read_known_hosts(path)
    known.kinds("h1")
    refusal = known.refusal(LOGIN, HostKey("ssh-ed25519", b"another"))
    assert refusal is not None
    assert refusal.isprintable()


class Answering:
    """A tunnel through which an answer comes in pieces."""

    def __init__(self, content: bytes, size: int) -> None:
        self._left, self._size = content, size

    def settimeout(self, timeout: float | None) -> None: ...

    def sendall(self, data: bytes) -> None: ...

    def recv(self, size: int) -> bytes:
        size = min(size, self._size)
        taken, self._left = self._left[:size], self._left[size:]
        return taken

    def close(self) -> None: ...


PIECES = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 503 \r\n", b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.1 204 No\r\n",
    b"HTTP/1.1 99999999 x\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"\r\n", b"\n",
    b"99999999999999999999", b"-1", b"1e9", b"ffffffffffffffffffff", b"0\r\n\r\n", b"5\r\n", b"{}", b": ",
    b"Content-Type: text/html; charset=\xff\r\n", b"A" * 70_000, b"A: b\r\n" * 120,
]  # fmt: skip
HTTP = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=16)), max_size=12).map(b"".join)


@BOUNDED
@given(content=HTTP, size=st.integers(1, 20_000), scheme=st.sampled_from(["http", "http", "https"]))
def test_whatever_a_listener_answers_it_is_read_or_no_answer(content: bytes, size: int, scheme: str) -> None:
    answer = probe(HttpProbe("h1", f"{scheme}://10.0.0.1:2379/health"), lambda *_: Answering(content, size))
    assert answer.exit_status in {0, 1, UNKNOWN}
    assert answer.stderr.isprintable()
    assert scheme == "http" or answer.exit_status != 0


class Untouched:
    """A connection on which no key is ever offered."""


@BOUNDED
@given(content=st.one_of(st.binary(), st.lists(st.sampled_from([
    b"-----BEGIN OPENSSH PRIVATE KEY-----\n", b"-----END OPENSSH PRIVATE KEY-----\n",
    b"-----BEGIN PRIVATE KEY-----\n", b"-----END PRIVATE KEY-----\n", b"-----BEGIN RSA PRIVATE KEY-----\n",
    b"Proc-Type: 4,ENCRYPTED\n", b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB\n", b"AAAA\n", b"\n",
]), max_size=8).map(b"".join)))  # fmt: skip
def test_any_identity_file_is_a_key_or_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "id"
    path.write_bytes(content)
    login = replace(LOGIN, identity_files=(path,))
    with pytest.raises(LoginRefusedError, match="identity file"):
        log_in(Untouched(), "h1", login, Unlocked())  # type: ignore[arg-type]
