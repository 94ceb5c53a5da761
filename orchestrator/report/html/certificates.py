"""The certificates that a plan names, as a tree: who signed whom, names, usages and expiry; never a key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from orchestrator.pki import keys, reading

SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class Held:
    """Certificates of one file, in its order, and who uses it; ``fault`` says why there are none."""

    used_by: str
    path: str
    certificates: tuple[x509.Certificate, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One certificate as it is shown; ``depth`` is how many of those above it have signed it in turn."""

    depth: int
    used_by: str
    subject: str
    path: str
    names: str = ""
    usages: str = ""
    key: str = ""
    expires: str = ""
    left: str = ""
    is_pressing: bool = False
    sha256: str = ""
    fault: str = ""


def tree(authority: Held, others: Sequence[Held], now: datetime) -> tuple[Leaf, ...]:
    """Return what is shown: the authority, below it what it signed, and then what it did not sign."""
    below = [(held, _is_below(held, authority.certificates)) for held in others]
    ordered = sorted(below, key=lambda pair: not pair[1])  # stable: the plan's order otherwise
    return (
        *(leaf for leaf in _leaves(authority, 0, now)),
        *(leaf for held, is_below in ordered for leaf in _leaves(held, int(is_below), now)),
    )


def _leaves(held: Held, depth: int, now: datetime) -> Iterator[Leaf]:
    if held.fault:
        yield Leaf(depth, held.used_by, "", held.path, fault=held.fault)
    for number, one in enumerate(held.certificates):
        used_by = held.used_by if not number else f"{held.used_by}, further certificate of the file"
        yield _leaf(one, used_by, held.path, depth, now)


def _leaf(one: x509.Certificate, used_by: str, path: str, depth: int, now: datetime) -> Leaf:
    names = reading.alternatives(one)
    left = one.not_valid_after_utc - now
    return Leaf(
        depth,
        used_by,
        ", ".join(str(each.value) for each in one.subject.get_attributes_for_oid(NameOID.COMMON_NAME)),
        path,
        names=", ".join(str(name.value) for name in names or ()),
        usages=_usages(one),
        key=keys.described(one.public_key()),
        expires=f"{one.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
        left=f"{left.days} days left" if left.total_seconds() > 0 else "expired",
        is_pressing=left.days < SOON_DAYS,
        sha256=one.fingerprint(SHA256()).hex(),
    )


def _usages(one: x509.Certificate) -> str:
    usages = reading.usages(one)
    named = [reading.USAGES.get(usage, usage.dotted_string) for usage in usages or ()]
    signs = ["signs certificates"] if reading.signs(one) else []
    return ", ".join((*signs, *named)) or "any"


def _is_below(held: Held, authorities: Sequence[x509.Certificate]) -> bool:
    return any(_is_signed(one, each) for one in held.certificates for each in authorities)


def _is_signed(one: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
