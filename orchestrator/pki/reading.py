"""Reading certificates and keys from files: what they hold, in the words in which others ask for it."""

import base64
import binascii
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from shlex import quote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from orchestrator.pki import pem
from orchestrator.pki.pem import PemError
from orchestrator.text import shown

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
USAGES = {SERVER: "serverAuth", CLIENT: "clientAuth"}

# What the library raises for a certificate that it cannot read, some of it only when a part is asked for.
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)

# ASN.1: id-ecPublicKey, and then a sequence of parameters where a curve's name belongs (RFC 5480).
EXPLICIT_CURVE = bytes.fromhex("06072a8648ce3d0201" + "30")


@dataclass(frozen=True, slots=True)
class Names:
    """Alternative names of one certificate: IP addresses as text, and DNS names as they are written."""

    addresses: frozenset[str] = frozenset()
    domains: tuple[str, ...] = ()

    def cover(self, host: str) -> bool:
        """Whether a dialler of that address or name is satisfied; a wildcard stands for one label."""
        if is_address(host):
            return str(ip_address(host)) in self.addresses
        wildcard = "*." + host.partition(".")[2]
        return bool({host.lower(), wildcard.lower()} & set(map(str.lower, self.domains)))

    def __str__(self) -> str:
        return ", ".join((*sorted(self.addresses), *self.domains)) or "nothing"


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a file, at least one; PemError says why there are none to be had.

    A private key in the file is an error too: what is read here is copied to where everybody may read it.
    """
    found = _blocks(path)
    secret = next((block for block in found if block.is_private), None)
    if secret is not None:
        name = quote(str(path))
        raise PemError(
            f"line {secret.line} begins a private key, and everybody may read this file: only certificates "
            "belong there",
            f"sed -i '/BEGIN.*PRIVATE KEY/,/END.*PRIVATE KEY/d' {name}; "
            "and make a new key if others could read it",
        )
    held = [block for block in found if block.label == pem.CERTIFICATE]
    if not held:
        labels = ", ".join(dict.fromkeys(shown(block.label, limit=40) for block in found))
        raise PemError(
            f"holds no certificate in PEM form, only {labels}",
            f"openssl x509 -in {quote(str(path))} -out NEW.pem, and name NEW.pem in the plan",
        )
    return tuple(map(_certificate, held))


def readable(path: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a file; none if they cannot be read, which another check complains of."""
    try:
        return certificates(path)
    except PemError:
        return ()


def private_key(path: Path) -> PrivateKeyTypes:
    """Return the key that Go takes from a file, its first private one; PemError says why there is none."""
    block = _private_block(path)
    body = block.text.splitlines()[1:-1]
    is_locked = block.label.startswith("ENCRYPTED") or any("ENCRYPTED" in line for line in body)
    if is_locked:
        raise PemError(
            "is protected by a passphrase, which etcd cannot ask for",
            f"umask 077; openssl pkey -in {quote(str(path))} -out NEW-key.pem, and name that in the plan",
        )
    try:
        # by what it holds, as Go does, and not by its label, which often says something else
        der = base64.b64decode("".join(body), validate=True)
        key = load_der_private_key(der, password=None)
    except (*_UNREADABLE, binascii.Error) as cause:
        said = shown(str(cause), quote="")
        raise PemError(f"line {block.line}: the private key cannot be read: {said}") from cause
    if EXPLICIT_CURVE in der:
        raise PemError(
            "describes its curve by parameters, and Go takes a curve by its name only",
            f"umask 077; openssl pkey -in {quote(str(path))} -ec_param_enc named_curve -out NEW-key.pem, "
            "and have its certificate issued again",
        )
    return key


def private_pem(path: Path) -> str:
    """Return the text of the key that Go takes from a file, and nothing else."""
    return _private_block(path).text


def alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    """Return a certificate's alternative names as they lie there; None if it has none at all."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def usages(certificate: x509.Certificate) -> tuple[ObjectIdentifier, ...] | None:
    """Return a certificate's extended key usages; None if it names none, and so allows all."""
    try:
        return tuple(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return None


def names(certificate: x509.Certificate) -> Names | None:
    """Return a certificate's alternative names; None if it has none at all."""
    held = alternatives(certificate)
    if held is None:
        return None
    addresses = frozenset(str(address) for address in held.get_values_for_type(x509.IPAddress))
    return Names(addresses, tuple(held.get_values_for_type(x509.DNSName)))


def lacking(certificate: x509.Certificate, wanted: Iterable[ObjectIdentifier] = (SERVER, CLIENT)) -> str:
    """Return the extended key usages that a certificate lacks, in words; without any it allows all."""
    held = usages(certificate)
    if held is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in held:
        return ""
    return " and ".join(USAGES[usage] for usage in wanted if usage not in held)


def signs(certificate: x509.Certificate) -> bool:
    """Whether a certificate may sign others: it says that it is a CA's, and its key usage allows it.

    A version 1 certificate cannot say so, and Go takes one as a root (tried: etcd 3.4.23).
    """
    if certificate.version is x509.Version.v1:
        return True
    try:
        if not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        return False
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def serial_number(certificate: x509.Certificate) -> int:
    """Return a certificate's serial number, which has to be positive, and is not always."""
    with _quietly():
        return certificate.serial_number


@contextmanager
def _quietly() -> Iterator[None]:
    """Let the library warn nobody of what golang.py refuses by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


def _blocks(path: Path) -> tuple[pem.Block, ...]:
    try:
        return pem.blocks(path)
    except OSError as cause:
        raise PemError(f"cannot be read: {cause.strerror}") from cause


def _private_block(path: Path) -> pem.Block:
    found = _blocks(path)
    block = next((block for block in found if block.is_private), None)
    if block is None:
        labels = ", ".join(dict.fromkeys(shown(block.label, limit=40) for block in found))
        raise PemError(f"holds no private key in PEM form, only {labels}")
    return block


def _certificate(block: pem.Block) -> x509.Certificate:
    """Read one certificate, every part of it: the library looks at most only when they are asked for."""
    try:
        with _quietly():
            one = x509.load_pem_x509_certificate(block.text.encode("latin-1"))
        _ = (one.extensions, one.public_key(), one.subject, one.issuer, one.version)
        _ = (one.not_valid_before_utc, one.not_valid_after_utc, one.signature_algorithm_oid)
    except _UNREADABLE as cause:
        raise PemError(
            f"line {block.line}: the certificate cannot be read: {shown(str(cause), quote='')}"
        ) from cause
    return one
