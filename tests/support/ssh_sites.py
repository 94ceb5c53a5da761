"""An SSH server in this process with a plan that leads to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from unit.remote.shells import cluster_of, shims
from unit.remote.sshd import Sshd, listening

from orchestrator.errors import LoginRefusedError
from orchestrator.host.questions import Script
from orchestrator.plan.model import Ssh
from orchestrator.remote.ssh import SshHosts

HELLO = Script("h1", "echo hello")


def make_key(path: Path, passphrase: bytes | None = None) -> Path:
    cipher = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    private = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, cipher
    )
    path.write_bytes(private)
    return path


class Site:
    """A bastion's files, and a server that they fit to."""

    def __init__(self, directory: Path, sshd: Sshd) -> None:
        self.directory = directory
        self.sshd = sshd
        self.known_hosts = directory / "known_hosts"
        self.identity = directory / "id"
        self.pauses: list[float] = []
        self.trust(sshd.host_keys[0])

    def trust(self, key: paramiko.PKey) -> None:
        self.known_hosts.write_text(f"[127.0.0.1]:{self.sshd.port} {key.get_name()} {key.get_base64()}\n")

    def executor(
        self,
        user: str = "root",
        become: Literal["none", "sudo"] = "none",
        port: int | None = None,
        gate_s: float = 90.0,
    ) -> SshHosts:
        reached = Ssh(
            host="127.0.0.1",
            port=port or self.sshd.port,
            user=user,
            identity_file=self.identity,
            known_hosts=self.known_hosts,
            become=become,
            config="none",
        )
        return SshHosts(cluster_of(h1=reached, h2=reached, gate_s=gate_s), sleep=self.pauses.append)

    def refusal(self, user: str = "root", become: Literal["none", "sudo"] = "none") -> str:
        with self.executor(user, become) as executor, pytest.raises(LoginRefusedError) as refused:
            executor.look([HELLO])
        return str(refused.value)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    ours = paramiko.PKey.from_path(make_key(tmp_path / "id"))
    host_keys = [paramiko.PKey.from_path(make_key(tmp_path / "host")), paramiko.RSAKey.generate(2048)]
    with listening(host_keys, ours, shims(tmp_path / "bin")) as sshd:
        yield Site(tmp_path, sshd)
