"""Everything that a rehearsal's plan points to: certificates for the hosts, keys for SSH."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ObjectIdentifier

from orchestrator.lab.machine.programs import LabError
from orchestrator.pki.issuing import Pair, Terms, issue, issue_ca, named
from orchestrator.pki.reading import CLIENT, SERVER
from orchestrator.plan.model import Cluster, Host

KEY_TYPE, DAYS = "ec", 365
LIFETIME = timedelta(days=DAYS)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority whose private key is never written down."""

    pair: Pair

    @classmethod
    def make(cls, name: str) -> "Authority":
        """Make a new authority."""
        return cls(issue_ca(named(name), Terms(KEY_TYPE, DAYS, datetime.now(UTC))))

    def issue(
        self,
        name: str,
        alternatives: Sequence[str] = (),
        *,
        usages: Sequence[ObjectIdentifier] = (SERVER, CLIENT),
        lifetime: timedelta = LIFETIME,
    ) -> "Keypair":
        """Sign a certificate for that common name; ``alternatives`` are IP addresses and DNS names.

        An empty ``name`` is none. A negative ``lifetime`` gives a certificate that expired that long ago.
        """
        now = datetime.now(UTC)
        terms = Terms(KEY_TYPE, lifetime.days, now)
        if lifetime < timedelta(0):
            terms = Terms(KEY_TYPE, DAYS, now - LIFETIME + lifetime)
        return Keypair(issue(self.pair, named(name), alternatives, usages, terms))

    def write(self, path: Path) -> None:
        """Write the authority's certificate as PEM."""
        write_public(path, self.pair.certificate_pem)


@dataclass(frozen=True, slots=True)
class Keypair:
    """A certificate and its private key."""

    pair: Pair

    def write(self, certificate: Path, key: Path) -> None:
        """Write both as PEM; only the owner may read the key."""
        write_public(certificate, self.pair.certificate_pem)
        write_private(key, self.pair.key_pem)


def write_public(path: Path, content: bytes) -> None:
    """Write a file that anybody may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o644)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may ever read, not even while it is being written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


@dataclass(frozen=True, slots=True)
class Files:
    """Where a client's certificate and its private key lie."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class HostKeys:
    """What the hosts are given, as text: the client's public key, and to each host its own private key."""

    authorized_key: str
    own: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stranger:
    """Files of a client whose certificate another authority signed: everybody has to refuse it."""

    ca: Path
    certificate: Path
    key: Path


def stranger(cluster: Cluster) -> Stranger:
    """Return where the stranger's files lie: beside the cluster's own authority."""
    folder = cluster.tls.ca.parent
    return Stranger(folder / "stranger-ca.pem", folder / "stranger.pem", folder / "stranger-key.pem")


def nameless(cluster: Cluster) -> Files:
    """Return where the files of a client lie whose certificate has no common name."""
    folder = cluster.tls.ca.parent
    return Files(folder / "nameless.pem", folder / "nameless-key.pem")


def of_gateway_client(cluster: Cluster) -> Files:
    """Return the files that a client of etcd's JSON gateway shows: the plan's own, or a nameless one.

    With authentication on the gateway takes no certificate with a common name, from 3.4 on.
    """
    tls = cluster.tls
    return nameless(cluster) if cluster.auth else Files(tls.client_certificate, tls.client_key)


def write(cluster: Cluster) -> HostKeys:
    """Write all files that the cluster's plan names, and the stranger's; return what goes to the hosts."""
    write_certificates(cluster)
    return write_ssh_keys(cluster)


def write_certificates(cluster: Cluster) -> Authority:
    """Make a new authority, and sign and write certificates for all hosts, clients and the stranger."""
    authority = Authority.make(f"{cluster.name} CA")
    authority.write(cluster.tls.ca)
    for host in cluster.etcd_hosts:
        authority.issue(host.name, alternatives(host)).write(host.certificate, host.key)
    authority.issue("orchestrator").write(cluster.tls.client_certificate, cluster.tls.client_key)
    gateway = nameless(cluster)
    authority.issue("").write(gateway.certificate, gateway.key)
    files, other = stranger(cluster), Authority.make("a stranger's CA")
    other.write(files.ca)
    other.issue("stranger").write(files.certificate, files.key)
    return authority


def alternatives(host: Host) -> tuple[str, ...]:
    """Return the names in a host's certificate: where others dial it, itself on loopback, and its name."""
    return tuple(dict.fromkeys((host.address, host.ssh.host, *LOOPBACK, host.name)))


def write_ssh_keys(cluster: Cluster) -> HostKeys:
    """Make the client's key and every host's own; write the client's, and known_hosts."""
    client, public = _ssh_key()
    for identity_file in {host.ssh.identity_file for host in cluster.etcd_hosts}:
        if identity_file is None:
            raise LabError("the lab's plan names no ssh.identity_file")
        write_private(identity_file, client.encode())
        write_public(identity_file.with_name(f"{identity_file.name}.pub"), f"{public}\n".encode())
    keys = {host.name: _ssh_key() for host in cluster.etcd_hosts}
    for known_hosts in {host.ssh.known_hosts for host in cluster.etcd_hosts}:
        lines = (f"{known_as(host)} {keys[host.name][1]}\n" for host in cluster.etcd_hosts)
        write_public(known_hosts, "".join(lines).encode())
    return HostKeys(public, {name: private for name, (private, _) in keys.items()})


def known_as(host: Host) -> str:
    """Return a host's name in known_hosts: with its port, unless that is SSH's own. Source: sshd(8)."""
    return host.ssh.host if host.ssh.port == 22 else f"[{host.ssh.host}]:{host.ssh.port}"


def _ssh_key() -> tuple[str, str]:
    """Make a key: its private half in OpenSSH's form, and its public half as one line."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()
