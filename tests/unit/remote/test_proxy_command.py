"""A way through a program of the operator's, as ssh takes it: over pipes."""

import os
import shlex
import sys
from pathlib import Path

import paramiko
import pytest
from support.ssh_sites import make_key
from support.waiting import until
from unit.remote.shells import shims
from unit.remote.sshd import listening, reached

from orchestrator.errors import HostUnreachableError
from orchestrator.remote import connecting
from orchestrator.remote.connecting import connect
from orchestrator.remote.logins import Login, login_of
from orchestrator.remote.proxy_command import ProxyCommand
from orchestrator.remote.route import route
from orchestrator.remote.unlocking import Unlocked

# As programs are written that know of ssh alone: what comes in on stdin they wait for beside the server, and
# what they write on is a pipe, of which asyncio takes anything that can be read for the other end's closing.
RELAY = """
import asyncio, sys
async def relay(read, write):
    while data := await read(65536):
        write(data)
async def main(port):
    loop, given = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(given), sys.stdin)
    out, _ = await loop.connect_write_pipe(asyncio.Protocol, sys.stdout)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(relay(given.read, writer.write), relay(reader.read, out.write))
asyncio.run(main(int(sys.argv[1])))
"""


def _login(folder: Path) -> Login:
    known = folder / "known_hosts"
    known.touch()
    return login_of("h1", "h1", {"userknownhostsfile": [str(known)]}, "root", 2222)


def test_a_program_that_takes_pipes_alone_leads_to_a_host(tmp_path: Path) -> None:
    ours, theirs = (paramiko.PKey.from_path(make_key(tmp_path / name)) for name in ("id", "host"))
    with listening([theirs], ours, shims(tmp_path / "bin")) as sshd:
        login = route("h1", reached(sshd, tmp_path)).target
        command = shlex.join((sys.executable, "-c", RELAY, str(sshd.port)))
        transport = connect("h1", login, lambda: ProxyCommand(command), Unlocked())
        channel = transport.open_session(timeout=20)
        channel.exec_command("head -c 300000 /dev/zero | wc -c")
        assert b"300000\n" == channel.makefile("rb").read()
        transport.close()


def test_a_program_that_says_nothing_is_waited_for_no_longer_than_it_may_take() -> None:
    stream = ProxyCommand("sleep 60")
    stream.settimeout(0.1)
    with pytest.raises(TimeoutError):
        stream.recv(1)
    with pytest.raises(TimeoutError):
        [stream.send(b"x" * 65536) for _ in range(64)]  # the pipe holds less
    stream.close()
    with pytest.raises(OSError, match="closed"):
        stream.recv(1)


def test_a_program_that_has_ended_is_the_end_of_what_it_says() -> None:
    stream = ProxyCommand("printf hello")
    stream.settimeout(20.0)
    heard = b""
    while data := stream.recv(2):
        heard += data
    assert b"hello" == heard
    stream.close()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("no-such-program %h", r"ended with exit status 127: .*no-such-program: not found"),
        ("sh -c 'echo log in anew >&2; echo now >&2; exit 3'", "ended with exit status 3: log in anew / now"),
        ("sh -c 'kill -9 $$'", "ended with signal 9"),
        (shlex.join((sys.executable, "-c", r"exit('\33]0;x')")), r"ended with exit status 1: \\x1b]0;x"),
        ("sh -c 'echo visit https://a.example >&2; sleep 60'", "is running, and printed: visit https://a.ex"),
        ("sh -c 'yes >&2'", "is running, and printed: … / y"),
        ("sleep 60", "is running"),
    ],
)  # fmt: skip
def test_a_program_that_leads_nowhere_is_named_and_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, reason: str
) -> None:
    monkeypatch.setattr(connecting, "DIAL_S", 0.5)
    monkeypatch.setattr(connecting, "_HURRIED_S", 0.3)
    with pytest.raises(HostUnreachableError, match=f":2222 is not reached: its ProxyCommand {reason}"):
        connect("h1", _login(tmp_path), lambda: ProxyCommand(command), Unlocked())


@pytest.mark.parametrize("command", ["true", "cat"])
def test_a_program_that_did_its_part_is_not_blamed(tmp_path: Path, command: str) -> None:
    with pytest.raises(HostUnreachableError, match=r":2222 [^;]*the (SSH )?handshake") as caught:
        connect("h1", _login(tmp_path), lambda: ProxyCommand(command), Unlocked())
    assert "ProxyCommand" not in str(caught.value)


def test_a_host_that_greets_and_falls_silent_is_the_hosts_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "_HANDSHAKE_S", 0.5)
    monkeypatch.setattr(connecting, "_HURRIED_S", 0.3)
    command = "sh -c 'echo SSH-2.0-theirs; sleep 60'"
    with pytest.raises(HostUnreachableError, match=r"2222 takes connections, but does not answer$"):
        connect("h1", _login(tmp_path), lambda: ProxyCommand(command), Unlocked())


def test_closing_ends_what_the_program_started_too() -> None:
    stream = ProxyCommand("sh -c 'sleep 61 & echo $!; wait'")
    stream.settimeout(20.0)
    pid = int(stream.recv(100))
    stream.close()
    until(
        lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]
    )


def test_a_program_that_may_not_be_killed_ends_by_its_closed_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")  # as for one that sudo has made root's

    stream = ProxyCommand("cat")
    monkeypatch.setattr(os, "killpg", refused)
    stream.close()
    assert 0 == stream._process.returncode
