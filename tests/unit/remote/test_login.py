"""Which key is offered, and what is said if none is there to offer; the rest is shown by real hosts."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.ssh_sites import HELLO, Site, make_key, site
from unit.remote.shells import cluster_of

from orchestrator.errors import LoginRefusedError
from orchestrator.plan.model import Ssh
from orchestrator.remote import agent as agent_module
from orchestrator.remote.ssh import SshHosts

__all__ = ["site"]


def by_agent(site: Site) -> SshHosts:
    there = Ssh(
        host="127.0.0.1",
        port=site.sshd.port,
        user="root",
        identity_file=None,
        known_hosts=site.known_hosts,
        become="none",
        config="none",
    )
    return SshHosts(cluster_of(h1=there), sleep=site.pauses.append)


def refusal(site: Site) -> str:
    with by_agent(site) as hosts, pytest.raises(LoginRefusedError) as refused:
        hosts.look([HELLO])
    assert str(refused.value).isprintable()
    return str(refused.value)


@contextmanager
def agent(folder: Path) -> Iterator[dict[str, str]]:
    """A real agent."""
    path = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    while not path.exists():
        pass
    try:
        yield {**os.environ, "SSH_AUTH_SOCK": str(path)}
    finally:
        process.terminate()
        process.wait()


def test_a_key_of_the_agent_logs_in_and_an_empty_agent_is_reported(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with agent(tmp_path) as environment:
        monkeypatch.setenv("SSH_AUTH_SOCK", environment["SSH_AUTH_SOCK"])
        assert "refused the login with the SSH agent, which holds no key" in refusal(site)
        for number in range(3):
            other = make_key(tmp_path / f"other-{number}")
            other.chmod(0o600)
            subprocess.run(["ssh-add", "-q", str(other)], env=environment, check=True)
        assert "the SSH agent (ssh-ed25519 SHA256:" in refusal(site)
        site.identity.chmod(0o600)
        subprocess.run(["ssh-add", "-q", str(site.identity)], env=environment, check=True)
        with by_agent(site) as hosts:
            assert hosts.look([HELLO])[HELLO].stdout == "hello\n"


def test_without_an_agent_that_is_reported(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert "no SSH agent is known here (SSH_AUTH_SOCK is not set), and the plan names no" in refusal(site)
    (tmp_path / "file").touch()
    for path in (tmp_path / "nowhere", tmp_path / "file", tmp_path / ("x" * 200), Path("/dev/null")):
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        assert f"the SSH agent at {path} does not answer (" in refusal(site)
    monkeypatch.setenv("SSH_AUTH_SOCK", "\udcff\x1b[31m")
    assert r"the SSH agent at \udcff\x1b[31m does not answer (" in refusal(site)


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"\0\0\0\5\x0c\0\0\0\7",
        b"\xff" * 64,
        b"\0\0\0\1\x05",
        b"\0\0\0\0",
        b"\0\0\0\x0c\x0c" + b"\0" * 11,
    ],
)
def test_an_agent_that_answers_garbage_or_nothing_is_reported_in_time(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    monkeypatch.setattr(agent_module, "_AGENT_S", 0.3)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    done = threading.Event()

    def serve() -> None:
        stream, _ = listener.accept()
        with stream:
            stream.sendall(words)
            done.wait(10)  # and says nothing more

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "agent"))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        reported = refusal(site)
        done.set()
        thread.join()
    assert "the SSH agent at " in reported or "which holds no key" in reported


def test_a_pipe_in_place_of_an_identity_file_is_not_waited_for(site: Site) -> None:
    site.identity.unlink()
    os.mkfifo(site.identity)
    assert f"identity file {site.identity} is not a regular file" in site.refusal()


def test_how_to_print_the_public_key_runs_as_it_is_printed(site: Site) -> None:
    site.identity = site.directory / "the operator's key"
    make_key(site.identity).chmod(0o600)
    command = site.refusal().partition("authorized_keys on the host (")[2].partition(" prints it)")[0]
    printed = subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True).stdout
    assert printed.startswith("ssh-ed25519 AAAA")
