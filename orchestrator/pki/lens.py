"""A certificate in one line, for people: whose it is, its names, its usages and its last day."""

from cryptography import x509
from cryptography.x509.oid import NameOID

from orchestrator.pki import reading
from orchestrator.text import shown


def described(certificate: x509.Certificate) -> str:
    """Return a certificate's subject, names, usages and expiry."""
    names = reading.names(certificate)
    is_ca = "a CA; " if reading.signs(certificate) else ""
    named = "" if names is None else f"names {shown(str(names), quote='', limit=300)}; "
    return f"{common_name(certificate)}; {is_ca}{named}{usages(certificate)}; until {until(certificate)}"


def usages(certificate: x509.Certificate) -> str:
    """Return a certificate's extended key usages in words."""
    held = reading.usages(certificate)
    return ", ".join(reading.USAGES.get(one, one.dotted_string) for one in held) if held else "any usage"


def common_name(certificate: x509.Certificate) -> str:
    """Return the common name of a certificate's subject."""
    return _common(certificate.subject)


def issuer(certificate: x509.Certificate) -> str:
    """Return the common name of a certificate's issuer."""
    return _common(certificate.issuer)


def until(certificate: x509.Certificate) -> str:
    """Return a certificate's last day."""
    return f"{certificate.not_valid_after_utc:%Y-%m-%d}"


def _common(name: x509.Name) -> str:
    parts = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return ", ".join(shown(str(part.value), quote="") for part in parts) or "without a name"


def in_a_line(text: str | None) -> str:
    """Return what certificates a file's text holds, in one line; None is a file that is not there."""
    if text is None:
        return "is not there"
    try:
        return " / ".join(map(described, x509.load_pem_x509_certificates(text.encode())))
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return "holds no certificate that can be read"
