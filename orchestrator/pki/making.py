"""From a plan to the files that it names: everything new, or new leaves from the authority that is there."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509

from orchestrator.errors import RefusedError
from orchestrator.pki import authority, reading, writing
from orchestrator.pki.issuing import Pair, Terms, issue, issue_ca, named
from orchestrator.pki.pem import PemError
from orchestrator.pki.wanted import Wanted, ca_key, leaves
from orchestrator.plan.model import Cluster

Extra = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Placed:
    """A certificate, who holds it, and the paths of its file and of its key's."""

    certificate: x509.Certificate
    used_by: str
    certificate_path: Path
    key_path: Path


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, below the authority that signed it, and what is worth knowing about it, a line each."""

    ca: Placed
    leaves: tuple[Placed, ...]
    notes: tuple[str, ...]


def make(cluster: Cluster, extra: Extra, terms: Terms, ca_days: int) -> Made:
    """Make an authority and every certificate of a plan, or raise RefusedError if a file is in the way."""
    wanted, ca_path = leaves(cluster, extra), cluster.tls.ca
    paths = (ca_path, ca_key(ca_path), *(path for one in wanted for path in (one.certificate, one.key)))
    taken = [path for path in paths if os.path.lexists(path)]
    if taken:
        raise RefusedError(
            "nothing was made, for these files are there already:\n"
            + "".join(f"  {path}\n" for path in taken)
            + _way_on(ca_path)
        )
    subject = named(_ca_name(cluster.name), cluster.name)
    ca = issue_ca(subject, replace(terms, days=ca_days))
    pairs = [_issue(ca, cluster, one, terms) for one in wanted]
    writing.write(
        (*writing.of_pair(ca, ca_path, ca_key(ca_path)), *_files(wanted, pairs)),
        replace=False,
    )
    return _made(cluster, ca, wanted, pairs, tuple(_cut(ca, terms)))


def _way_on(ca_path: Path) -> str:
    """Say what to do about files that are in the way: only the key of a CA makes leaves from it."""
    if os.path.lexists(ca_key(ca_path)):
        return (
            "Move them away for a new CA, or make new leaves from the CA that is there: "
            "orchestrator certs PLAN --renew"
        )
    return (
        "Move them away for a new CA, or have whoever holds the CA's key sign what is missing: "
        f"{ca_key(ca_path)} is not there, and --renew needs it"
    )


def renew(cluster: Cluster, extra: Extra, terms: Terms) -> Made:
    """Make new keys and certificates for all of a plan, signed by the authority that is there.

    A certificate keeps the names of the one that it replaces. RefusedError if the authority cannot sign.
    """
    ca_path = cluster.tls.ca
    ca = authority.read(ca_path, ca_key(ca_path), terms.now)
    wanted, notes = [], [*_cut(ca, terms), *_readable(ca_key(ca_path))]
    for one in leaves(cluster, extra):
        kept = _kept(one)
        wanted.append(replace(one, alternatives=(*one.alternatives, *kept)))
        if kept:
            notes.append(
                f"{one.common_name} keeps {', '.join(kept)}, which its old certificate named; "
                f"to drop names, remove {one.certificate} first"
            )
    pairs = [_issue(ca, cluster, one, terms) for one in wanted]
    writing.write(_files(wanted, pairs), replace=True)
    return _made(cluster, ca, wanted, pairs, tuple(notes))


def _ca_name(cluster: str) -> str:
    """Return the authority's name, in 64 characters. No leaf has it: names of hosts hold no blanks."""
    return f"{cluster[:61]} CA"


def _issue(ca: Pair, cluster: Cluster, one: Wanted, terms: Terms) -> Pair:
    return issue(ca, named(one.common_name, cluster.name), one.alternatives, one.usages, terms)


def _files(wanted: Sequence[Wanted], pairs: Sequence[Pair]) -> tuple[writing.File, ...]:
    return tuple(
        file
        for one, pair in zip(wanted, pairs, strict=True)
        for file in writing.of_pair(pair, one.certificate, one.key)
    )


def _made(
    cluster: Cluster, ca: Pair, wanted: Sequence[Wanted], pairs: Sequence[Pair], notes: tuple[str, ...]
) -> Made:
    ca_path = cluster.tls.ca
    placed = (
        Placed(pair.certificate, one.used_by, one.certificate, one.key)
        for one, pair in zip(wanted, pairs, strict=True)
    )
    return Made(
        Placed(ca.certificate, "certificate authority", ca_path, ca_key(ca_path)), tuple(placed), notes
    )


def _cut(ca: Pair, terms: Terms) -> Iterator[str]:
    end = ca.certificate.not_valid_after_utc
    if terms.end > end:
        yield (
            f"the CA ends on {end:%Y-%m-%d %H:%M} UTC, before {terms.days} days are over: so do all its "
            "certificates; a new CA has to be trusted everywhere before that day"
        )


def _readable(key: Path) -> Iterator[str]:
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield f"{key} is open to other users of this machine: chmod 600 {key}"


def _kept(one: Wanted) -> tuple[str, ...]:
    """Return the names that only the old certificate holds; none if there is none that can be read."""
    try:
        names = reading.names(reading.certificates(one.certificate)[0])
    except PemError:
        return ()
    if names is None:
        return ()
    found = (*names.domains, *sorted(names.addresses))
    known = {each.lower() for each in one.alternatives}
    return tuple(name for name in found if name.lower() not in known)
