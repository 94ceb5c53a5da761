"""The addresses that members dial each other from, asked of their kernels, against their certificates.

A peer's server compares the source address of a connection with the certificate's names: its IP addresses,
and else what its DNS names resolve to (etcd 3.2 and later, pkg/transport/listener_tls.go).
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from orchestrator.etcd.preflight.site import Site
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answer, Answers, Fact, Script
from orchestrator.pki import reading
from orchestrator.pki.reading import Names
from orchestrator.plan.facts import Subject
from orchestrator.plan.model import Host

# $1 peer port, then where the other members are dialled. What the routes would choose, and what is in use.
ROUTES = """
port=$1
shift
for peer; do
  address=$(timeout 2 getent ahosts "$peer" | awk 'NR == 1 { print $1 }')
  source=$(ip -oneline route get "${address:-$peer}" | sed -n 's/.* src \\([^ ]*\\).*/\\1/p')
  echo "route $peer ${address:-?} ${source:-?}"
done
ss --no-header --tcp --numeric state established "( dport = :$port )" | awk '{ print "dials", $3, $4 }'
ss --no-header --tcp --numeric state established "( sport = :$port )" | awk '{ print "hears", $4 }'
"""

# What names resolve to on this host.
RESOLVE = """
for name; do
  timeout 2 getent ahosts "$name" | awk -v name="$name" '{ print name, $1 }' | sort -u
done
"""


def names(host: Host) -> Names | None:
    """Return the names of a host's certificate; None if there is no certificate to read."""
    held = reading.readable(host.certificate)
    return (reading.names(held[0]) or Names()) if held else None


def plain(text: str) -> str:
    """Return an address as certificates have it: no brackets, port or interface, IPv4 if it is mapped."""
    host = text.rpartition(":")[0] if text.startswith("[") or text.count(":") == 1 else text
    address = ip_address(host.strip("[]").partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def routes(site: Site) -> Iterable[Check]:
    """Ask each member from which addresses it dials the others, and who dials it."""
    if not site.cluster.tls.peer_cert_auth:
        return
    for subject in site.members:
        yield _examination(site, subject)


@dataclass(frozen=True, slots=True)
class Routes:
    """How a host and its peers dial each other.

    ``sources`` are the addresses that it dials from, each with the peers dialled from it, ``unknown`` peers
    that it has no route to, and ``heard`` the addresses that its own peer port is dialled from.
    """

    sources: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]
    heard: frozenset[str]


def of(subject: Subject) -> Fact[Routes]:
    """How a member dials the others, and who dials it."""
    dialled = {
        urlsplit(url).hostname or "": None for other in subject.others for url in other.member.peer_urls
    }
    arguments = (str(subject.cluster.ports.peer), *dialled)
    return Fact(Script(subject.name, ROUTES, arguments, timeout_s=8.0), read)


def _resolved(answer: Answer) -> frozenset[str]:
    """Read the addresses that names resolve to."""
    return frozenset(line.rpartition(" ")[2] for line in answer.text.splitlines())


def _examination(site: Site, subject: Subject) -> Check:
    own = names(subject.host)
    routes = of(subject)
    domains = tuple(name for name in own.domains if "*" not in name and name != "localhost") if own else ()
    reached = {other.name for other in site.members}
    listening = [other.name for other in subject.others if other.name in reached] if domains else []
    resolving = {name: Fact(Script(name, RESOLVE, domains, timeout_s=8.0), _resolved) for name in listening}
    others = [one for one in map(names, site.cluster.hosts) if one]
    everybodys = frozenset().union(*(one.addresses for one in others))

    def judge(answers: Answers) -> Iterable[Remark]:
        if own is None:
            return  # 'certificates' says so
        seen = routes.read(answers)
        resolved = {name: one.read(answers) for name, one in resolving.items()}
        troubles = [
            _of_source(subject.name, source, peers, own, resolved)
            for source, peers in seen.sources.items()
            if source not in own.addresses
        ]
        yield from troubles
        yield from (
            doubtful(
                f"cannot tell from where it would dial {peer}",
                f"on {subject.name}: ip route get {shlex.quote(peer)} has to print a source address (src): "
                "give it a route, let the name resolve, or install iproute2, which has ip",
            )
            for peer in seen.unknown
        )
        strangers = sorted(seen.heard - everybodys)
        if strangers:
            yield doubtful(
                f"{', '.join(strangers)} dials its peer port, and no certificate names that address",
                "find out who that is: a member behind NAT needs the address in its certificate",
            )
        if not subject.others:
            yield fine("it is the only member, and dials nobody")
        elif not seen.sources and not seen.unknown:
            yield wrong("the look at its routes told of no peer", "install iproute2, which has ip and ss")
        elif not troubles:
            yield fine(f"dials its peers from {', '.join(seen.sources)}")

    return Check(subject.name, (routes, *resolving.values()), judge)


def read(answer: Answer) -> Routes:
    """Read the script's lines."""
    lines = [line.split() for line in answer.text.splitlines()]
    found: dict[str, list[str]] = {}
    unknown, peers = [], set()
    for _, peer, address, source in (line for line in lines if line[:1] == ["route"]):
        if "?" in {address, source}:
            unknown.append(peer)
            continue
        peers.add(plain(address))
        found.setdefault(plain(source), []).append(peer)
    for _, source, peer in (line for line in lines if line[:1] == ["dials"]):
        if plain(peer) in peers:  # another cluster's members may use the same port
            found.setdefault(plain(source), []).append(plain(peer))
    heard = {plain(line[1]) for line in lines if line[:1] == ["hears"] and len(line) == 2}
    return Routes(
        {source: tuple(dict.fromkeys(dialled)) for source, dialled in found.items()},
        tuple(unknown),
        frozenset(address for address in heard if not ip_address(address).is_loopback),
    )


def _of_source(
    host: str, source: str, peers: Iterable[str], own: Names, resolved: Mapping[str, frozenset[str]]
) -> Remark:
    told = f"dials {', '.join(peers)} from {source}, which its certificate does not name"
    mend = f"issue its certificate with the address {source} too (certs PLAN --renew --san {host}={source})"
    if any("*" in name for name in own.domains):
        return doubtful(f"{told}; its peers would have to find it by {own}", mend)
    without = [name for name, addresses in resolved.items() if source not in addresses]
    if resolved and not without:
        return doubtful(f"{told}; its peers let it in only while DNS resolves {own} to it", mend)
    return wrong(f"{told}; it names {own}", mend)
