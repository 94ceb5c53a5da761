"""The addresses that members dial each other from, asked of their kernels, against their certificates.

A peer's server compares the source address of a connection with the certificate's names: its IP addresses,
and else what its DNS names resolve to (etcd 3.2 and later, pkg/transport/listener_tls.go).
"""

import shlex
from collections.abc import Iterable, Mapping

from orchestrator.etcd.checks.site import Site
from orchestrator.etcd.facts import routes as facts
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.pki import reading
from orchestrator.pki.reading import Names
from orchestrator.plan.facts import Target
from orchestrator.plan.model import EtcdHost


def names(host: EtcdHost) -> Names | None:
    """Return the names of a host's certificate; None if there is no certificate to read."""
    held = reading.readable(host.certificate)
    return (reading.names(held[0]) or Names()) if held else None


def routes(site: Site) -> Iterable[Check]:
    """Ask each member from which addresses it dials the others, and who dials it."""
    if not site.cluster.tls.peer_cert_auth:
        return
    for target in site.members:
        yield _routes(site, target)


def _routes(site: Site, target: Target) -> Check:
    own = names(target.etcd)
    seen_from = facts.of(target)
    domains = tuple(name for name in own.domains if "*" not in name and name != "localhost") if own else ()
    reached = {other.name for other in site.members}
    listening = [other.name for other in target.others if other.name in reached] if domains else []
    resolving = {name: facts.resolved(name, domains) for name in listening}
    others = [one for one in map(names, site.cluster.etcd_hosts) if one]
    everybodys = frozenset().union(*(one.addresses for one in others))

    def judge(answers: Answers) -> Iterable[Remark]:
        if own is None:
            return  # 'certificates' says so
        seen = seen_from.read(answers)
        resolved = {name: one.read(answers) for name, one in resolving.items()}
        troubles = [
            _of_source(target.name, source, peers, own, resolved)
            for source, peers in seen.sources.items()
            if source not in own.addresses
        ]
        yield from troubles
        yield from (
            doubtful(
                f"cannot tell from where it would dial {peer}",
                f"on {target.name}: ip route get {shlex.quote(peer)} has to print a source address (src): "
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
        if not target.others:
            yield fine("it is the only member, and dials nobody")
        elif not seen.sources and not seen.unknown:
            yield wrong("its routes name no peer", "install iproute2, which has ip and ss")
        elif not troubles:
            yield fine(f"dials its peers from {', '.join(seen.sources)}")

    return Check(target.name, (seen_from, *resolving.values()), judge)


def _of_source(
    host: str, source: str, peers: Iterable[str], own: Names, resolved: Mapping[str, frozenset[str]]
) -> Remark:
    reported = f"dials {', '.join(peers)} from {source}, which its certificate does not name"
    fix = f"issue its certificate with the address {source} too (certs PLAN --renew --san {host}={source})"
    if any("*" in name for name in own.domains):
        return doubtful(f"{reported}; its peers would have to find it by {own}", fix)
    without = [name for name, addresses in resolved.items() if source not in addresses]
    if resolved and not without:
        return doubtful(f"{reported}; its peers let it in only while DNS resolves {own} to it", fix)
    return wrong(f"{reported}; it names {own}", fix)
