"""The certificate lens: each host's certificate beside every name that others will look for in it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from orchestrator.pki import golang, lens, reading
from orchestrator.pki.pem import PemError
from orchestrator.pki.reading import Names
from orchestrator.text import shown


@dataclass(frozen=True, slots=True)
class Use:
    """A name or address that a certificate is looked up by, and for what; ``host`` without brackets."""

    host: str
    by: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever has a certificate; ``uses`` are those known, ``unknown`` says what could not be asked."""

    name: str
    role: str
    certificate: Path
    uses: tuple[Use, ...] = ()
    unknown: str = ""


def report(holders: Sequence[Holder], ca: Path, now: datetime, root: Path) -> tuple[str, ...]:
    """Return the lines to show of all holders, and in a last one what is missing."""
    try:
        authorities, first = reading.certificates(ca), ""
    except PemError as error:
        authorities, first = (), f"{error}"
    described = [f"{_path(ca, root)}: {one}" for one in (*map(lens.described, authorities), first) if one]
    lines, count = [*described, ""], 0
    for holder in holders:
        rows, missing = _holder(holder, authorities, now, root)
        lines += [*rows, ""]
        count += missing
    closing = {0: "no name is missing", 1: "1 name is missing"}.get(count, f"{count} names are missing")
    is_partial = any(one.unknown for one in holders)
    return (*lines, closing + (", as far as hosts could be asked" if is_partial else ""))


def _holder(
    holder: Holder, authorities: Sequence[x509.Certificate], now: datetime, root: Path
) -> tuple[Iterable[str], int]:
    head = f"{holder.name} ({holder.role})  {_path(holder.certificate, root)}"
    try:
        leaf, *between = reading.certificates(holder.certificate)
    except PemError as error:
        return (head, f"    cannot be read: {error}"), 0
    names = reading.names(leaf) or Names()
    rows = [(names.cover(use.host), use) for use in holder.uses]
    lines = [head, *(f"    {line}" for line in _facts(leaf, between, authorities, now, names))]
    lines += [f"    {'ok       ' if is_named else 'MISSING  '}{use.host}: {use.by}" for is_named, use in rows]
    lines += [f"    unknown  {holder.unknown}"] if holder.unknown else []
    return lines, sum(not is_named for is_named, _ in rows)


def _facts(
    leaf: x509.Certificate,
    between: Sequence[x509.Certificate],
    authorities: Sequence[x509.Certificate],
    now: datetime,
    names: Names,
) -> Iterator[str]:
    links = golang.chain(leaf, between, authorities)
    chain = (
        " <- ".join(map(lens.common_name, links))
        if links
        else f"{lens.common_name(leaf)} <- {lens.issuer(leaf)}: not issued by the plan's CA"
    )
    yield f"chain    {chain}"
    yield f"names    {shown(str(names), quote='', limit=400)}"
    yield f"usages   {lens.usages(leaf)}"
    days = (leaf.not_valid_after_utc - now).total_seconds() / 86400
    yield f"until    {lens.until(leaf)} ({days:.0f} days left)"


def _path(path: Path, root: Path) -> str:
    return shown(str(path.relative_to(root) if path.is_relative_to(root) else path), quote="", limit=400)
