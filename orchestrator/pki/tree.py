"""Certificates as a tree for people: the authority, and below it what it signed."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.x509.oid import NameOID

from orchestrator.pki import keys, reading
from orchestrator.pki.making import Placed


def tree(ca: Placed, leaves: Sequence[Placed], root: Path) -> str:
    """Return an authority and its leaves: paths (relative to ``root``), names, usages, expiry, key type."""
    lines = [_title(ca), *("│   " + line for line in _details(ca, root))]
    for leaf in leaves:
        is_last = leaf is leaves[-1]
        lines.append(("└── " if is_last else "├── ") + _title(leaf))
        lines += [("    " if is_last else "│   ") + line for line in _details(leaf, root)]
    return "\n".join(lines) + "\n"


def _title(placed: Placed) -> str:
    common_names = placed.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return f"{', '.join(str(each.value) for each in common_names)} ({placed.used_by})"


def _details(placed: Placed, root: Path) -> Iterator[str]:
    certificate = placed.certificate
    yield f"certificate  {_shown(placed.certificate_path, root)}"
    yield f"key          {_shown(placed.key_path, root)}, {keys.described(certificate.public_key())}"
    names, usages = reading.alternatives(certificate), reading.usages(certificate)
    if names:
        yield f"names        {', '.join(str(name.value) for name in names)}"
    if usages:
        yield f"usages       {', '.join(reading.USAGES.get(usage, usage.dotted_string) for usage in usages)}"
    yield f"expires      {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
