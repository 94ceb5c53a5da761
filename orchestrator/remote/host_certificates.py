"""A host's certificate: whether an authority that ``known_hosts`` names vouches for this very host."""

import base64
import time
from typing import cast

import paramiko
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    SSHCertificateType,
    load_ssh_public_identity,
)

from orchestrator.remote.host_patterns import is_covered
from orchestrator.remote.known_hosts import HostKey, KnownHosts
from orchestrator.remote.logins import Login
from orchestrator.text import shown

CERTIFIED = "-cert-v01@openssh.com"


def rejection(login: Login, known: KnownHosts, offered: paramiko.PKey) -> str | None:
    """Return None if the certificate is good, else why it is not; source: PROTOCOL.certkeys, sshd(8)."""
    try:
        certificate, authority = _read(offered)
    except ValueError as error:
        return str(error)
    if revoked := known.revoked(login.known_as, authority):
        return f"{revoked} revokes the authority of its certificate"
    if authority not in known.authorities(login.known_as):
        return f"its certificate is by another authority, {authority.fingerprint}"
    return _misfit(login, certificate)


def _read(offered: paramiko.PKey) -> tuple[SSHCertificate, HostKey]:
    """Return a certificate and the authority that has signed it; ValueError if it has not."""
    try:
        blob = offered.public_blob
        text = b" ".join((blob.key_type.encode(), base64.b64encode(blob.key_blob))) if blob else b""
        certificate = cast(
            "SSHCertificate", load_ssh_public_identity(text)
        )  # a bare key cannot do what follows
        certificate.verify_cert_signature()
        authority = certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        signed_with = bytes(certificate._inner_sig_type)  # noqa: SLF001 -- there is no other way to tell
    except InvalidSignature as error:
        raise ValueError("its certificate is not signed by the authority that it names") from error
    except Exception as error:  # whatever a host's bytes raise
        raise ValueError("its certificate cannot be read") from error
    if signed_with == b"ssh-rsa":
        raise ValueError("its certificate is signed with SHA-1")
    kind, encoded = authority.split()[:2]
    return certificate, HostKey(kind.decode(), base64.b64decode(encoded))


def _misfit(login: Login, certificate: SSHCertificate) -> str | None:
    """Say why a certificate of the right authority is not for this host, now."""
    if certificate.type is not SSHCertificateType.HOST:
        return "its certificate is a user's"
    if certificate.critical_options:
        return "its certificate holds critical options, which hosts have none of"
    if not certificate.valid_after <= time.time() < certificate.valid_before:
        return "its certificate is not valid now"
    name = login.host.lower() if login.known_as.startswith("[") else login.known_as
    names = [each.decode(errors="replace").lower() for each in certificate.valid_principals]
    if names and not any(is_covered(each, name) for each in names):
        return f"its certificate is for {shown(', '.join(names), quote='')}, not for {name}"
    return None
