"""Looking at certificates on the bastion, before any host has them: a bad one can stop etcd, or hide.

What etcd needs of them is in docs/etcd-facts.md: one certificate serves a member as server and as client, its
names are matched against the URLs that are dialled, and a key that does not match stops the process.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from orchestrator.etcd import settings, stages
from orchestrator.host.checks import Remark, wrong
from orchestrator.pki import golang, keys, reading
from orchestrator.pki.pem import PemError
from orchestrator.pki.reading import CLIENT, SERVER, is_address
from orchestrator.plan.facts import Target


def faults(targets: Sequence[Target], now: datetime) -> tuple[Remark, ...]:
    """Say everything that is wrong with the plan's certificates; ``now`` is in UTC."""
    tls = targets[0].cluster.tls
    found: list[Remark] = []
    authorities = _load(tls.ca, found)
    for authority in authorities:
        which = authority.subject.rfc4514_string()
        found += (wrong(f"{tls.ca}: {which}: {why}") for why in golang.refusals(authority, is_root=True))
    found += _pair(tls.client_certificate, tls.client_key, authorities, now, (CLIENT,))
    for target in targets:
        member = target.etcd
        found += _pair(member.certificate, member.key, authorities, now, (SERVER, CLIENT))
        found += _names(member.certificate, target)
    for proxy in targets[0].cluster.proxies:
        found += _pair(proxy.certificate, proxy.key, authorities, now, (CLIENT,))
    return tuple(dict.fromkeys(found))


def _load(path: Path, found: list[Remark]) -> tuple[x509.Certificate, ...]:
    try:
        return reading.certificates(path)
    except PemError as error:
        found.append(wrong(f"{path}: {error}", error.fix))
        return ()


def _pair(
    certificate: Path,
    key: Path,
    authorities: Sequence[x509.Certificate],
    now: datetime,
    usages: Iterable[ObjectIdentifier],
) -> Iterable[Remark]:
    found: list[Remark] = []
    held = _load(certificate, found)
    yield from found
    yield from _key(key, certificate, held[:1])
    if not held:
        return
    leaf, *between = held
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        yield wrong(
            f"{certificate}: is valid from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} "
            f"to {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, not now"
        )
    for one in held:
        yield from (wrong(f"{certificate}: {why}") for why in golang.refusals(one))
    yield from _issued(certificate, leaf, between, authorities)
    missing = reading.lacking(leaf, usages)
    if missing:
        yield wrong(f"{certificate}: lacks the extended key usage {missing}: issue it again with it")


def _key(key: Path, certificate: Path, leaf: Sequence[x509.Certificate]) -> Iterable[Remark]:
    try:
        private = reading.private_key(key)
    except PemError as error:
        yield wrong(f"{key}: {error}", error.fix)
        return
    public = private.public_key()
    refused = golang.refused_key(public)
    if refused:
        yield wrong(f"{key}: {refused}")
    if leaf and keys.public_bytes(public) != keys.public_bytes(leaf[0].public_key()):
        yield wrong(
            f"{key}: is not the key of {certificate}; etcd would not start with them",
            "name the key and the certificate that belong together in the plan",
        )


def _issued(
    path: Path,
    leaf: x509.Certificate,
    between: Sequence[x509.Certificate],
    authorities: Sequence[x509.Certificate],
) -> Iterable[Remark]:
    if not authorities:
        return  # the CA file's own fault says why
    links = golang.chain(leaf, between, authorities)
    if links is None:
        yield wrong(
            f"{path}: was not issued by a CA of tls.ca, nor by way of its own intermediates; "
            f"its issuer is {leaf.issuer.rfc4514_string()}",
            "name that issuer's certificate in the plan (tls.ca), or put what is in between behind it: "
            f"cat INTERMEDIATE.pem >> {path}",
        )
        return
    named = reading.names(leaf)
    if named is not None:
        yield from (wrong(f"{path}: {why}") for why in golang.constrained(named, links[1:]))


def _names(path: Path, target: Target) -> Iterable[Remark]:
    held = reading.readable(path)
    if not held:
        return
    named = reading.names(held[0])
    if named is None:
        yield wrong(f"{path}: has no target alternative names, and etcd does not look at its common name")
        return
    urls = (*settings.peers_https(target), *stages.advertised_clients(target))
    hosts = ((urlsplit(url).hostname or "").removesuffix(".") for url in urls)
    for host in dict.fromkeys(hosts):
        if is_address(host) and ip_address(host).is_unspecified:
            continue  # nobody can dial that, so no certificate has to name it: another check says so
        if is_address(host) and host in named.domains:
            yield wrong(
                f"{path}: names DNS:{host}, and an address is only found as IP:{host}: issue it again so"
            )
        elif not named.cover(host):
            yield wrong(f"{path}: does not name {host}, which {target.name} is dialled by; it names {named}")
