"""Certificate authorities for the lab: the product's own issuing, written where a plan says."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.x509.oid import ObjectIdentifier

from orchestrator.pki.issuing import CLIENT, SERVER, Pair, Terms, issue, issue_ca, named

KEY_TYPE, DAYS = "ec", 365
LIFETIME = timedelta(days=DAYS)


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

        A negative ``lifetime`` gives a certificate that expired that long ago.
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
