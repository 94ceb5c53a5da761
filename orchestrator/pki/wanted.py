"""Which certificates a plan asks for: for every member, every proxy and the client, and at which paths."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from cryptography.x509.oid import ObjectIdentifier

from orchestrator.errors import RefusedError, UsageError
from orchestrator.pki.reading import CLIENT, SERVER
from orchestrator.plan import spelling
from orchestrator.plan.faults import meant
from orchestrator.plan.model import Cluster, Host, Member
from orchestrator.text import laid_out

LOOPBACK = ("localhost", "127.0.0.1", "::1")
CLIENT_NAME = "orchestrator"  # with RBAC on, etcd takes it for the user


@dataclass(frozen=True, slots=True)
class Wanted:
    """One certificate to be made: for whom, at which paths, with which names and extended usages."""

    common_name: str
    used_by: str
    certificate: Path
    key: Path
    alternatives: tuple[str, ...]
    usages: tuple[ObjectIdentifier, ...]


def ca_key(ca: Path) -> Path:
    """Return where an authority's key lies: beside its certificate, ``ca-key.pem`` for ``ca.pem``."""
    return ca.with_name(f"{ca.stem}-key.pem")


def leaves(cluster: Cluster, extra: Mapping[str, Sequence[str]]) -> tuple[Wanted, ...]:
    """Return the certificates of a plan, in its order; hosts that share their files share one certificate.

    ``extra`` are further names by host. RefusedError if the plan wants two different things in one file.
    """
    groups: dict[tuple[Path, Path], list[Wanted]] = {}
    for one in _each(cluster, extra):
        groups.setdefault((_same(one.certificate), _same(one.key)), []).append(one)
    wanted = tuple(_shared(cluster, group) for group in groups.values())
    _check_paths(cluster, wanted)
    return wanted


def extra_names(options: Sequence[str], cluster: Cluster) -> dict[str, list[str]]:
    """Return further names by host from options such as ``server1=10.0.0.5``, or raise UsageError."""
    hosts = [host.name for host in cluster.etcd_hosts]
    found: dict[str, list[str]] = {}
    for option in options:
        host, is_given, name = option.partition("=")
        if not is_given:
            raise UsageError(f"--san {option}: write it as HOST=NAME, such as {hosts[0]}=10.0.0.5")
        if host not in hosts:
            raise UsageError(f"--san {option}: the plan has no host {host!r}, {meant(host, hosts)}")
        try:
            spelling.address(name.removeprefix("*."))
        except ValueError as cause:
            raise UsageError(f"--san {option}: {cause}") from cause
        found.setdefault(host, []).append(name)
    return found


def alternatives(host: Host, extra: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names in a host's certificate: its own, where others dial it, and itself on loopback."""
    return tuple(dict.fromkeys(map(_canonical, (host.name, host.address, *LOOPBACK, *extra))))


def _canonical(name: str) -> str:
    """Return the one spelling of an address; a name loses its final dot, which certificates do not know."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name.removesuffix(".")


def _each(cluster: Cluster, extra: Mapping[str, Sequence[str]]) -> Iterator[Wanted]:
    for host in cluster.etcd_hosts:
        yield Wanted(
            host.name,
            "member" if isinstance(host, Member) else "proxy",
            host.certificate,
            host.key,
            alternatives(host, extra.get(host.name, ())),
            (SERVER, CLIENT),
        )
    tls = cluster.tls
    yield Wanted(CLIENT_NAME, "client", tls.client_certificate, tls.client_key, (), (CLIENT,))


def _shared(cluster: Cluster, group: Sequence[Wanted]) -> Wanted:
    """Return one certificate for all that share its files: made out to the cluster, unless it is only one."""
    first, *others = group
    if not others:
        return first
    return replace(
        first,
        common_name=cluster.name,
        used_by=f"shared by {', '.join(one.common_name for one in group)}",
        alternatives=tuple(dict.fromkeys(name for one in group for name in one.alternatives)),
        usages=tuple(dict.fromkeys(usage for one in group for usage in one.usages)),
    )


def _check_paths(cluster: Cluster, wanted: Sequence[Wanted]) -> None:
    ca = cluster.tls.ca
    uses: dict[Path, list[str]] = {}
    for path, what in (
        (ca, "the CA's certificate"),
        (ca_key(ca), "the CA's key"),
        *((one.certificate, f"the certificate of {one.common_name} ({one.used_by})") for one in wanted),
        *((one.key, f"the key of {one.common_name} ({one.used_by})") for one in wanted),
    ):
        uses.setdefault(_same(path), []).append(what)
    faults = [f"{path} would be {' and '.join(what)}" for path, what in uses.items() if len(what) > 1]
    if faults:
        raise RefusedError(laid_out("nothing was made; the plan has to name different files:", *faults))


def _same(path: Path) -> Path:
    """Return the one spelling of a path, even if the file does not exist yet."""
    return path.parent.resolve() / path.name
