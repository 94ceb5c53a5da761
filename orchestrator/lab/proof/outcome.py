"""What a rehearsal came to, what it has to show, and what is said of each part that does not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.lab.clients.local_clients import LocalClient
from orchestrator.lab.proof.access import Reception, Visitor
from orchestrator.lab.proof.crowd import of_client
from orchestrator.lab.proof.evidence import MemberProof, ProxyProof
from orchestrator.lab.proof.rests import Rest, of_rest
from orchestrator.plan.model import Cluster
from orchestrator.probe.tally import ClientReport, ProbeReport


@dataclass(frozen=True, slots=True)
class Closing:
    """What a last command told of the cluster, after everything."""

    exit_code: int
    reported: str


@dataclass(frozen=True, slots=True)
class WayBack:
    """A rollback behind everything: its exit code, and which hosts are not as they were, a sentence each."""

    exit_code: int
    took_s: float
    complaints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rehearsal that came to its end. ``program_exit`` is the exit code of the orchestrator's own run.

    ``probe`` is the main client's report; ``single_ways`` are those of clients through one port of one host,
    by its name. ``crowd`` are clients of every kind, if they were asked for; ``http_closed_at`` is when http
    was closed on purpose, and ``rests`` are looks at the list of clients that the program shows.
    """

    cluster: Cluster
    members: tuple[MemberProof, ...]
    probe: ProbeReport
    program_exit: int
    program_took_s: float
    took_s: float
    proxies: tuple[ProxyProof, ...] = ()
    single_ways: Mapping[str, ProbeReport] = field(default_factory=dict)
    local_clients: tuple[LocalClient, ...] = ()
    closing: Closing | None = None
    way_back: WayBack | None = None
    crowd: tuple[ClientReport, ...] = ()
    http_closed_at: float | None = None
    rests: tuple[Rest, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 only if everything is proved; else the program's own exit code, or 1."""
        return (self.program_exit or 1) if shortcomings(self) else 0


def shortcomings(outcome: Outcome) -> tuple[str, ...]:
    """Return everything that was not proved, a sentence each; empty if the rehearsal is good."""
    found = []
    if outcome.program_exit != 0:
        found.append(f"The program ended with exit code {outcome.program_exit}.")
    if outcome.closing is not None and outcome.closing.exit_code != 0:
        found.append(f"The closing command ended with exit code {outcome.closing.exit_code}.")
    if outcome.way_back is not None:
        found += of_way_back(outcome.way_back)
    found += of_probe(outcome.probe)
    for name, probe in outcome.single_ways.items():
        found += of_single_way(name, probe)
    for each in outcome.crowd:
        found += of_client(each, outcome.http_closed_at)
    for rest in outcome.rests:
        found += of_rest(rest)
    for member in outcome.members:
        found += of_member(outcome.cluster, member)
    for proxy in outcome.proxies:
        found += of_proxy(proxy, outcome.members)
    for client in outcome.local_clients:
        found += of_local_client(client)
    return tuple(found)


def of_way_back(way_back: WayBack) -> Iterator[str]:
    """Yield what the rollback did not bring back."""
    if way_back.exit_code != 0:
        yield f"The rollback ended with exit code {way_back.exit_code}."
    yield from way_back.complaints


def of_probe(probe: ProbeReport) -> Iterator[str]:
    """Yield what the main client suffered."""
    if probe.acknowledged == 0:
        yield "Not a single write was acknowledged."
    for count, what in (
        (probe.failed, "writes failed"),
        (probe.lost, "acknowledged writes are lost"),
        (probe.failed_reads, "reads failed"),
        (probe.wrong_reads, "reads did not give what had just been written"),
    ):
        if count:
            yield f"{count} {what}."
    yield from (f"Against what etcd promises: {example}." for example in probe.contradiction_examples)
    if probe.lease != "alive":
        yield f"The client's lease is {probe.lease}."


def of_member(cluster: Cluster, member: MemberProof) -> Iterator[str]:
    """Yield what a member shows and should not."""
    for what, urls in (("peers", member.peer_urls), ("clients", member.client_urls)):
        if not urls or not all(url.startswith("https://") for url in urls):
            yield f"{member.name} is registered for {what} as {listed(urls)}, not with https alone."
    for port, receptions, authenticates in (
        ("client port", member.client_port, cluster.tls.client_cert_auth),
        ("peer port", member.peer_port, cluster.tls.peer_cert_auth),
    ):
        for visitor, expected in expectations(authenticates=authenticates).items():
            if receptions[visitor] is not expected:
                yield f"{member.name}, {port}: {visitor} was {receptions[visitor]}, not {expected}."
    is_open, wanted = member.local is Reception.ANSWERED, cluster.local_port
    if (wanted and not is_open) or (is_open and cluster.ports.local == "none"):
        yield f"{member.name}: the local port is {member.local} on the host itself."
    if member.local_from_outside is not Reception.UNREACHABLE:
        yield f"{member.name}: the local port was {member.local_from_outside} from outside."


def expectations(*, authenticates: bool) -> Mapping[Visitor, Reception]:
    """Return how each visitor has to be received; without authentication, certificates do not matter."""
    certain = {Visitor.PLAIN: Reception.REFUSED, Visitor.FRIEND: Reception.ANSWERED}
    asked = {Visitor.NAMELESS: Reception.REFUSED, Visitor.STRANGER: Reception.REFUSED}
    return {**certain, **asked} if authenticates else certain


def of_single_way(name: str, probe: ProbeReport) -> Iterator[str]:
    """Yield what a client with a single way suffered; failures are told elsewhere, for the way restarts."""
    if probe.acknowledged == 0:
        yield f"{name}: not a single write through it was acknowledged."
    for count, what in (
        (probe.lost, "acknowledged writes through it are lost"),
        (probe.wrong_reads, "reads through it did not give what had just been written"),
    ):
        if count:
            yield f"{name}: {count} {what}."


def of_proxy(proxy: ProxyProof, members: Sequence[MemberProof]) -> Iterator[str]:
    """Yield what a proxy shows and should not."""
    for port, reception in proxy.on_host.items():
        if reception is not Reception.ANSWERED:
            yield f"{proxy.name}: port {port} is {reception} on the host itself."
    for port, reception in proxy.from_outside.items():
        if reception is not Reception.UNREACHABLE:
            yield f"{proxy.name}: port {port} was {reception} from outside."
    expected = sorted(url for member in members for url in member.peer_urls)
    if list(proxy.peer_urls) != expected:
        yield f"{proxy.name} works with the peers {listed(proxy.peer_urls)}, not {listed(expected)}."


def of_local_client(client: LocalClient) -> Iterator[str]:
    """Yield what is wrong with a watched unit at the end."""
    if client.state != "active":
        yield f"{client.host}: {client.unit} is {client.state}."
    if not client.is_well:
        yield f"{client.host}: {client.unit} still complains."


def listed(urls: Sequence[str]) -> str:
    """Write URLs one after the other."""
    return ",".join(urls) or "nothing"
