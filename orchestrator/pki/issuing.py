"""Signing certificates, in memory: an authority, and what it issues."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from orchestrator.pki import keys

CLOCK_SKEW = timedelta(minutes=5)  # a certificate made this second is valid on a host whose clock is behind


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, which is not shown."""

    certificate: x509.Certificate
    key: keys.PrivateKey = field(repr=False)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key as PEM, without a passphrase."""
        return keys.to_pem(self.key)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms certificates are issued: kind of key (one of ``KEY_TYPES``), lifetime, time in UTC.

    A ``now`` in the past makes certificates that have expired already.
    """

    key_type: str
    days: int
    now: datetime

    @property
    def end(self) -> datetime:
        """When the lifetime is over."""
        return self.now + timedelta(days=self.days)


def named(common_name: str, organization: str | None = None) -> x509.Name:
    """Return the name that a certificate is made out to; CN and O have room for 64 characters each.

    An empty ``common_name`` is none.
    """
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    if organization is not None:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def issue_ca(subject: x509.Name, terms: Terms) -> Pair:
    """Make an authority, self-signed, that signs leaves only: no further authority below it is valid."""
    key = keys.generate(terms.key_type)
    builder = (
        _builder(subject, subject, key.public_key(), terms.now, terms.end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def issue(
    ca: Pair,
    subject: x509.Name,
    alternatives: Sequence[str],
    usages: Sequence[ObjectIdentifier],
    terms: Terms,
) -> Pair:
    """Make a key and have its certificate signed; it ends with the authority's at the latest.

    ``alternatives`` are IP addresses and DNS names; ``usages`` are extended ones, such as ``SERVER``.
    """
    key = keys.generate(terms.key_type)
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    end = min(terms.end, ca.certificate.not_valid_after_utc)
    builder = (
        _builder(subject, ca.certificate.subject, key.public_key(), terms.now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False, enciphers_keys=is_rsa), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(_issuer_id(ca.certificate), critical=False)
    )
    if alternatives:
        names = x509.SubjectAlternativeName([_alternative(each) for each in alternatives])
        builder = builder.add_extension(names, critical=False)
    return Pair(builder.sign(ca.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: CertificatePublicKeyTypes,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(secrets.randbits(128) or 1)  # RFC 5280, 4.1.2.2: positive, at most 20 bytes
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _issuer_id(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return the identifier that the issuer gives itself, or else the usual hash of its key."""
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier(
            x509.SubjectKeyIdentifier.from_public_key(issuer.public_key()).digest, None, None
        )
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool, enciphers_keys: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=enciphers_keys,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
