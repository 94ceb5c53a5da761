"""Kinds of private keys, by the words with which an operator chooses one."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from orchestrator.errors import UsageError

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_RSA_EXPONENT = 65537  # what every TLS implementation takes
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}  # as NIST calls them

KEY_TYPES: Mapping[str, Callable[[], PrivateKey]] = MappingProxyType({
    "ec":       lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa:2048": lambda: rsa.generate_private_key(_RSA_EXPONENT, 2048),
    "rsa:3072": lambda: rsa.generate_private_key(_RSA_EXPONENT, 3072),
    "rsa:4096": lambda: rsa.generate_private_key(_RSA_EXPONENT, 4096),
})  # fmt: skip


def generate(key_type: str) -> PrivateKey:
    """Return a new key; UsageError for a type that is none of ``KEY_TYPES``."""
    make = KEY_TYPES.get(key_type)
    if make is None:
        raise UsageError(f"unknown key type {key_type!r}: choose one of {', '.join(KEY_TYPES)}")
    return make()


def to_pem(key: PrivateKey) -> bytes:
    """Return a key as PEM (PKCS #8), without a passphrase: etcd cannot ask for one."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def from_pem(pem: bytes) -> PrivateKey:
    """Return the key in a PEM file; ValueError says why there is none to be had."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as cause:
        raise ValueError("is protected by a passphrase, which nothing here can ask for") from cause
    except UnsupportedAlgorithm as cause:  # a curve that the library does not know
        raise ValueError("is neither an EC nor an RSA key that can sign here") from cause
    except ValueError as cause:
        raise ValueError("holds no private key in PEM form") from cause
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("is neither an EC nor an RSA key")  # noqa: TRY004 it is the file's content that is wrong
    return key


def public_bytes(key: PublicKeyTypes) -> bytes:
    """Return a public key in its one binary form, to compare it with another."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def described(key: PublicKeyTypes) -> str:
    """Return a key's type in a few words, such as ``EC P-256`` or ``RSA 3072``."""
    match key:
        case ec.EllipticCurvePublicKey():
            return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case _:
            return type(key).__name__
