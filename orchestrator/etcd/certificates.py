"""Looking at certificates on the bastion, before any host has them: a bad one can stop etcd, or hide.

What etcd needs of them is in docs/etcd-facts.md: one certificate serves a member as server and as client, its
names are matched against the URLs that are dialled, and a key that does not match stops the process.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from orchestrator.cluster.facts import Subject
from orchestrator.etcd import settings

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
_USAGES = {SERVER: "serverAuth", CLIENT: "clientAuth"}


def faults(subjects: Sequence[Subject], now: datetime) -> tuple[str, ...]:
    """Say everything that is wrong with the plan's certificates; ``now`` is in UTC."""
    tls = subjects[0].cluster.tls
    found: list[str] = []
    authorities = _load(tls.ca, found)
    found += _pair(tls.client_certificate, tls.client_key, authorities, now, (CLIENT,))
    for subject in subjects:
        member = subject.host
        found += _pair(member.certificate, member.key, authorities, now, (SERVER, CLIENT))
        found += _names(member.certificate, subject)
    for proxy in subjects[0].cluster.proxies:
        found += _pair(proxy.certificate, proxy.key, authorities, now, (CLIENT,))
    return tuple(dict.fromkeys(found))


def _load(path: Path, found: list[str]) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as error:
        found.append(f"{path}: holds no certificate in PEM form: {error}")
        return []


def _pair(
    certificate: Path,
    key: Path,
    authorities: Sequence[x509.Certificate],
    now: datetime,
    usages: Iterable[ObjectIdentifier],
) -> Iterable[str]:
    found: list[str] = []
    chain = _load(certificate, found)
    yield from found
    if not chain:
        return
    leaf = chain[0]
    yield from _key(key, certificate, leaf)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        yield (
            f"{certificate}: is valid from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} "
            f"to {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, not now"
        )
    if authorities and not _is_issued(leaf, chain[1:], authorities):
        yield f"{certificate}: was not issued by a CA of tls.ca, nor by way of its own intermediates"
    yield from _usages(certificate, leaf, usages)


def _key(key: Path, certificate: Path, leaf: x509.Certificate) -> Iterable[str]:
    try:
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (ValueError, TypeError):
        yield f"{key}: holds no unencrypted private key in PEM form; etcd cannot ask for a passphrase"
        return
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        yield f"{key}: is not the key of {certificate}; etcd would not start with them"


def _is_issued(
    leaf: x509.Certificate, chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]
) -> bool:
    current = leaf
    for _ in range(len(chain) + 1):
        if any(_issued_by(current, authority) for authority in authorities):
            return True
        following = next((link for link in chain if _issued_by(current, link)), None)
        if following is None:
            return False
        current = following
    return False


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _usages(path: Path, leaf: x509.Certificate, wanted: Iterable[ObjectIdentifier]) -> Iterable[str]:
    try:
        usages = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return  # without the extension every usage is allowed
    if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages:
        return
    missing = [_USAGES[usage] for usage in wanted if usage not in usages]
    if missing:
        yield f"{path}: lacks the extended key usage {' and '.join(missing)}: issue it again with it"


def _names(path: Path, subject: Subject) -> Iterable[str]:
    found: list[str] = []
    chain = _load(path, found)
    if not chain:
        return
    try:
        names = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        yield f"{path}: has no subject alternative names, and etcd does not look at its common name"
        return
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    domains = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    urls = (*settings.peers_https(subject), *settings.advertised_clients(subject))
    hosts = ((urlsplit(url).hostname or "").removesuffix(".") for url in urls)
    for host in dict.fromkeys(hosts):
        if not _covers(host, addresses, domains):
            has = ", ".join((*sorted(addresses), *domains))
            yield f"{path}: does not name {host}, which {subject.name} is dialled by; it names {has}"


def _covers(host: str, addresses: set[str], domains: Sequence[str]) -> bool:
    try:
        return str(ipaddress.ip_address(host)) in addresses
    except ValueError:
        wildcard = "*." + host.partition(".")[2]
        return host.lower() in domains or wildcard.lower() in domains
