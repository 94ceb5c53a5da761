"""From which addresses members dial each other, by their kernels, and what names resolve to on a host."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from orchestrator.etcd import settings
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Target

# $1 its own peer ports, $2 those of the others, with blanks between, then where the others are dialled. What
# the routes would choose, and what is in use.
ROUTES = """
heard=$1 dialled=$2
shift 2
for peer; do
  address=$(timeout 2 getent ahosts "$peer" | awk 'NR == 1 { print $1 }')
  source=$(ip -oneline route get "${address:-$peer}" | sed -n 's/.* src \\([^ ]*\\).*/\\1/p')
  echo "route $peer ${address:-?} ${source:-?}"
done
sockets() {
  filter=''
  for port in $2; do filter="$filter${filter:+ or }$1 = :$port"; done
  ss --no-header --tcp --numeric state established "( $filter )"
}
sockets dport "$dialled" | awk '{ print "dials", $3, $4 }'
sockets sport "$heard" | awk '{ print "hears", $4 }'
"""

# What names resolve to on this host.
RESOLVE = """
for name; do
  timeout 2 getent ahosts "$name" | awk -v name="$name" '{ print name, $1 }' | sort -u
done
"""


def plain(text: str) -> str:
    """Return an address as certificates have it: no brackets, port or interface, IPv4 if it is mapped."""
    host = text.rpartition(":")[0] if text.startswith("[") or text.count(":") == 1 else text
    address = ip_address(host.strip("[]").partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


@dataclass(frozen=True, slots=True)
class Routes:
    """How a host and its peers dial each other.

    ``sources`` are the addresses that it dials from, each with the peers dialled from it, ``unknown`` peers
    that it has no route to, and ``heard`` the addresses that its own peer port is dialled from.
    """

    sources: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]
    heard: frozenset[str]


def of(target: Target) -> Fact[Routes]:
    """How a member dials the others, and who dials it."""
    urls = [url for other in target.others for url in other.member.peer_urls]
    listening = settings.current(target.found.environment, settings.LISTEN_PEER)
    hosts = dict.fromkeys(urlsplit(url).hostname or "" for url in urls)
    arguments = (_ports(target, listening), _ports(target, urls), *hosts)
    return Fact(Script(target.name, ROUTES, arguments, timeout_s=8.0), read)


def _ports(target: Target, urls: Iterable[str]) -> str:
    ports = dict.fromkeys(urlsplit(url).port or target.cluster.ports.peer for url in urls)
    return " ".join(map(str, ports or (target.cluster.ports.peer,)))


def resolved(host: str, names: tuple[str, ...]) -> Fact[frozenset[str]]:
    """The addresses that names resolve to on a host."""

    def read(answer: Answer) -> frozenset[str]:
        return frozenset(line.rpartition(" ")[2] for line in answer.text.splitlines())

    return Fact(Script(host, RESOLVE, names, timeout_s=8.0), read)


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
