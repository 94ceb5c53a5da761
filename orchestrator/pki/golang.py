"""What Go's crypto/x509 and crypto/tls refuse, and OpenSSL takes: etcd is built with Go.

Each line was tried with etcd 3.4.23 (tests/cases/certificates.yaml says what it did with each kind).
"""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import ExtensionOID

from orchestrator.pki import keys, reading
from orchestrator.pki.reading import EXPLICIT_CURVE, Names, is_address, signs

LEAST_RSA_BITS = 1024
_CURVES = {"secp256r1", "secp384r1", "secp521r1"}
_UNDERSTOOD = {
    *(ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE),
    *(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, ExtensionOID.NAME_CONSTRAINTS),
    *(ExtensionOID.CERTIFICATE_POLICIES, ExtensionOID.SUBJECT_KEY_IDENTIFIER),
    *(ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.CRL_DISTRIBUTION_POINTS),
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
}


def refused_key(key: PublicKeyTypes) -> str | None:
    """Why a key of this kind is refused, or None if it is taken."""
    match key:
        case rsa.RSAPublicKey() if key.key_size < LEAST_RSA_BITS:
            return f"its RSA key has {key.key_size} bits, and Go wants {LEAST_RSA_BITS}: make one with 2048"
        case rsa.RSAPublicKey() | ed25519.Ed25519PublicKey():
            return None
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return None
        case _:
            kind = keys.described(key).removesuffix("PublicKey")
            return f"its key is of a kind that Go does not take ({kind}): make an EC P-256 or an RSA 2048 key"


def refusals(one: x509.Certificate, *, is_root: bool = False) -> Iterable[str]:
    """Say why a certificate is refused; of a root only its key counts, for nobody checks its signature."""
    reason = refused_key(one.public_key())
    if reason:
        yield reason
    if EXPLICIT_CURVE in one.tbs_certificate_bytes:
        yield "its key describes its curve by parameters, and Go takes a curve by its name only"
    if reading.serial_number(one) < 0:
        yield "has a negative serial number, which Go refuses from 1.23 on"
    if is_root:
        return
    digest = _digest(one)
    if isinstance(digest, hashes.SHA1 | hashes.MD5):
        yield f"it is signed with {digest.name.upper()}, which Go refuses: have it signed with SHA-256"
    for extension in one.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            yield f"it has a critical extension that Go does not know ({extension.oid.dotted_string})"


def chain(
    leaf: x509.Certificate, between: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...] | None:
    """Return the certificates from a leaf to one of the roots, or None if none of them has issued it.

    SHA-1 and MD5 signatures count here: that they are refused is said of each certificate by itself.
    """
    ways: list[tuple[x509.Certificate, ...]] = [(leaf,)]
    waiting = list(between)
    for way in ways:  # the shortest first, which every path length allows that allows another
        below = len(way) - 1
        for root in roots:
            if _issued(way[-1], root, below):
                return (*way, root)
        # each is tried once: CAs that have signed each other would be gone through in every order
        found = [link for link in waiting if _issued(way[-1], link, below)]
        waiting = [link for link in waiting if link not in found]
        ways += [(*way, link) for link in found]
    return None


def constrained(names: Names, issuers: Iterable[x509.Certificate]) -> Iterable[str]:
    """Say which of a leaf's names the CAs above it may not give away (RFC 5280, 4.2.1.10)."""
    for issuer in issuers:
        try:
            limits = issuer.extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            continue
        for name in (*sorted(names.addresses), *map(str.lower, names.domains)):
            within = [tree for tree in limits.permitted_subtrees or () if _is_of_kind(tree, name)]
            if any(_covers(tree, name) for tree in limits.excluded_subtrees or ()) or (
                within and not any(_covers(tree, name) for tree in within)
            ):
                who = issuer.subject.rfc4514_string()
                yield f"names {name}, for which its CA {who} may not issue (name constraints)"


def _is_of_kind(tree: x509.GeneralName, name: str) -> bool:
    return isinstance(tree, x509.IPAddress if is_address(name) else x509.DNSName)


def _covers(tree: x509.GeneralName, name: str) -> bool:
    if isinstance(tree, x509.IPAddress) and is_address(name):
        return ip_address(name) in ip_network(str(tree.value), strict=False)
    if isinstance(tree, x509.DNSName) and not is_address(name):
        limit = tree.value.lower().lstrip(".")
        return not limit or name == limit or name.endswith(f".{limit}")
    return False


def _issued(one: x509.Certificate, issuer: x509.Certificate, below: int) -> bool:
    """Whether the issuer has signed it, and may: ``below`` CAs lie between the issuer and the leaf."""
    if not signs(issuer):
        return False
    if issuer.version is not x509.Version.v1:
        most = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
        if most is not None and below > most:
            return False
    if isinstance(_digest(one), hashes.SHA1 | hashes.MD5):
        return one.issuer == issuer.subject  # the library checks no such signature, and it is refused anyway
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _digest(one: x509.Certificate) -> hashes.HashAlgorithm | None:
    try:
        return one.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
