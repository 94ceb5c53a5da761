"""What a rehearsal came to: everything that was seen, the judgement, and the text that an operator reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.cluster.model import Cluster
from orchestrator.lab import judgement, tables
from orchestrator.lab.localclients import LocalClient
from orchestrator.lab.proof import MemberProof
from orchestrator.lab.proxyproof import ProxyProof
from orchestrator.lab.tally import ProbeReport


@dataclass(frozen=True, slots=True)
class Closing:
    """What a last command told of the cluster, after everything."""

    exit_code: int
    told: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rehearsal that came to its end. ``program_exit`` is the exit code of the orchestrator's own run.

    ``probe`` is the main client's report; ``single_ways`` are those of clients through one port of one host,
    by its name.
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
    found += judgement.of_probe(outcome.probe)
    for name, probe in outcome.single_ways.items():
        found += judgement.of_single_way(name, probe)
    for member in outcome.members:
        found += judgement.of_member(outcome.cluster, member)
    for proxy in outcome.proxies:
        found += judgement.of_proxy(proxy, outcome.members)
    for client in outcome.local_clients:
        found += judgement.of_local_client(client)
    return tuple(found)


def render(outcome: Outcome) -> str:
    """Write the outcome as text: the hosts, who is let in, what became of the writes, the verdict."""
    ports, lacking = outcome.cluster.ports, shortcomings(outcome)
    verdict = ["Not proved:", *(f"  {each}" for each in lacking)] if lacking else ["Proved."]
    probes = {"every member": outcome.probe, **outcome.single_ways} if outcome.single_ways else {}
    blocks = (
        outcome.closing.told.rstrip() if outcome.closing else "",
        tables.table(tables.registry(outcome.members)),
        tables.table(tables.doors(outcome.members, ports.local)),
        tables.table(tables.proxies(outcome.proxies)),
        tables.table(tables.probes(probes)),
        tables.table(tables.local_clients(outcome.local_clients)),
        tables.table(_facts(outcome)),
        "\n".join(verdict),
    )
    return "\n\n".join(block for block in blocks if block) + "\n"


def _facts(outcome: Outcome) -> list[tuple[str, str]]:
    probe, members = outcome.probe, len(outcome.members)
    stall_s, after_s = probe.longest_stall_s, probe.longest_stall_after_s
    median_ms, p99_ms = probe.median_latency_s * 1000, probe.p99_latency_s * 1000
    over = ", ".join(f"{count} over {scheme}" for scheme, count in probe.writes_over.items())
    return [
        ("writes", f"{probe.attempts} offered, {probe.acknowledged} acknowledged ({over})"),
        ("failed", f"{probe.failed} writes, {probe.failed_reads + probe.wrong_reads} of {probe.reads} reads"),
        ("lost", f"{probe.lost}; all acknowledged writes were looked for on each of {members} members"),
        ("longest stall", f"{stall_s:.3f} s, {after_s:.1f} s after the first write"),
        ("latency", f"median {median_ms:.1f} ms, 99 % {p99_ms:.1f} ms"),
        ("fail-overs", str(probe.failovers)),
        ("lease", f"{probe.lease}, {probe.lease_renewals} renewals, {probe.failed_lease_renewals} failed"),
        ("program", f"exit {outcome.program_exit} after {outcome.program_took_s:.1f} s"),
        ("in all", f"{outcome.took_s:.1f} s"),
    ]
