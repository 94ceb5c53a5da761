"""The way from a leaf to a root: found if there is one, and not looked for along every path there is."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orchestrator.pki import golang

NOW = datetime.now(UTC)


def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def issued(
    name: str,
    own: ec.EllipticCurvePrivateKey,
    issuer: str,
    by: ec.EllipticCurvePrivateKey,
    most: int | None = None,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=most), critical=True)
        .sign(by, hashes.SHA256())
    )


def test_intermediates_that_sign_each_other_are_each_tried_once() -> None:
    root, old, leaf = key(), key(), key()
    between = [issued("old", old, "old", old) for _ in range(12)]  # 12! ways to go round, and none leads up
    assert (
        golang.chain(issued("leaf", leaf, "old", old), between, [issued("root", root, "root", root)]) is None
    )


def test_the_shortest_way_is_taken_which_a_path_length_allows() -> None:
    root, old, low, leaf = key(), key(), key(), key()
    roots = [issued("root", root, "root", root, most=1)]
    one, low_ca = issued("leaf", leaf, "low", low), issued("low", low, "old", old)
    renewed, crossed = issued("old", old, "old", old), issued("low", low, "root", root)
    assert golang.chain(one, [low_ca, renewed, issued("old", old, "root", root)], roots) is None
    assert (one, crossed, roots[0]) == golang.chain(one, [renewed, low_ca, crossed], roots)
