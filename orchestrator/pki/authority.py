"""The authority that is there already: its certificate and key, fit to sign, or the reason why not."""

from datetime import datetime
from pathlib import Path

from cryptography import x509

from orchestrator.errors import RefusedError
from orchestrator.pki import keys, reading
from orchestrator.pki.issuing import Pair
from orchestrator.pki.pem import PemError
from orchestrator.plan.locations import read_plain

_MOST_BYTES = 1024 * 1024  # of a key's file


def read(certificate: Path, key: Path, now: datetime) -> Pair:
    """Return an authority from its files, or raise RefusedError.

    The certificate's file may hold several, as it does while an authority is being changed: the one of the
    key is taken.
    """
    try:
        private = keys.from_pem(_bytes(key, "without the CA's key nothing can be signed"))
    except ValueError as cause:
        raise _refused(f"{key} {cause}") from cause
    try:
        found = reading.certificates(certificate)
    except PemError as cause:
        raise _refused(f"{certificate}: {cause}: that is the CA to renew from") from cause
    own = keys.public_bytes(private.public_key())
    matching = [each for each in found if keys.public_bytes(each.public_key()) == own]
    if not matching:
        raise _refused(f"{key} is not the key of {certificate}")
    newest = max(matching, key=lambda each: each.not_valid_after_utc)
    if reason := _unfit(newest, now):
        raise _refused(f"{certificate} {reason}")
    return Pair(newest, private)


def _bytes(path: Path, why: str) -> bytes:
    try:
        return read_plain(path, _MOST_BYTES)
    except OSError as cause:
        raise _refused(f"{path}: {cause.strerror}: {why}") from cause


def _unfit(certificate: x509.Certificate, now: datetime) -> str | None:
    """Return why an authority cannot sign now, or None if it can."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= end:
        return (
            f"expired on {end:%Y-%m-%d %H:%M} UTC: a new CA is needed, and every host has to trust it first"
        )
    if now < begin:
        return f"is not valid before {begin:%Y-%m-%d %H:%M} UTC: is this clock right?"
    if not reading.signs(certificate):
        return "is not the certificate of a CA: what it signs would be refused"
    return None


def _refused(reason: str) -> RefusedError:
    return RefusedError(f"nothing was changed: {reason}")
