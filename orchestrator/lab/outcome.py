"""What a rehearsal came to: the judgement, and the text that an operator reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.cluster.model import Cluster
from orchestrator.lab.doors import Reception, Visitor
from orchestrator.lab.proof import MemberProof
from orchestrator.lab.tally import ProbeReport


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rehearsal that came to its end. ``program_exit`` is the exit code of the orchestrator's own run."""

    cluster: Cluster
    members: tuple[MemberProof, ...]
    probe: ProbeReport
    program_exit: int
    program_took_s: float
    took_s: float

    @property
    def exit_code(self) -> int:
        """0 only if everything is proved; else the program's own exit code, or 1."""
        return (self.program_exit or 1) if shortcomings(self) else 0


def shortcomings(outcome: Outcome) -> tuple[str, ...]:
    """Return everything that was not proved, a sentence each; empty if the rehearsal is good."""
    found = [*_of_probe(outcome.probe)]
    if outcome.program_exit != 0:
        found.insert(0, f"The program ended with exit code {outcome.program_exit}.")
    for member in outcome.members:
        found += _of_member(outcome.cluster, member)
    return tuple(found)


def _of_probe(probe: ProbeReport) -> Iterator[str]:
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
    if probe.lease != "alive":
        yield f"The client's lease is {probe.lease}."


def _of_member(cluster: Cluster, member: MemberProof) -> Iterator[str]:
    for what, urls in (("peers", member.peer_urls), ("clients", member.client_urls)):
        if not urls or not all(url.startswith("https://") for url in urls):
            yield f"{member.name} is registered for {what} as {_listed(urls)}, not with https alone."
    for port, receptions, authenticates in (
        ("client port", member.client_port, cluster.tls.client_cert_auth),
        ("peer port", member.peer_port, cluster.tls.peer_cert_auth),
    ):
        for visitor, expected in expectations(authenticates=authenticates).items():
            if receptions[visitor] is not expected:
                yield f"{member.name}, {port}: {visitor} was {receptions[visitor]}, not {expected}."
    if member.local is not Reception.ANSWERED:
        yield f"{member.name}: the local port is {member.local} on the host itself."
    if member.local_from_outside is not Reception.UNREACHABLE:
        yield f"{member.name}: the local port was {member.local_from_outside} from outside."


def expectations(*, authenticates: bool) -> Mapping[Visitor, Reception]:
    """Return how each visitor has to be received; without authentication, certificates do not matter."""
    certain = {Visitor.PLAIN: Reception.REFUSED, Visitor.FRIEND: Reception.ANSWERED}
    asked = {Visitor.NAMELESS: Reception.REFUSED, Visitor.STRANGER: Reception.REFUSED}
    return {**certain, **asked} if authenticates else certain


def render(outcome: Outcome) -> str:
    """Write the outcome as text: the members, who is let in, what became of the writes, the verdict."""
    members = outcome.members
    registry = [("member", "peer URLs", "client URLs", "restarts")]
    registry += [(m.name, _listed(m.peer_urls), _listed(m.client_urls), str(m.restarts)) for m in members]
    doors = [("who knocks where", *(member.name for member in members))]
    doors += [(f"client port: {who}", *(m.client_port[who] for m in members)) for who in Visitor]
    doors += [(f"peer port: {who}", *(m.peer_port[who] for m in members)) for who in Visitor]
    local = outcome.cluster.ports.local
    doors += [
        (f"port {local}: plain http, on the host", *(m.local for m in members)),
        (f"port {local}: plain http, from outside", *(m.local_from_outside for m in members)),
    ]
    lacking = shortcomings(outcome)
    verdict = ["Not proved:", *(f"  {each}" for each in lacking)] if lacking else ["Proved."]
    blocks = (table(registry), table(doors), table(_facts(outcome)), "\n".join(verdict))
    return "\n\n".join(blocks) + "\n"


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


def table(rows: Sequence[Sequence[str]]) -> str:
    """Align the columns of a table."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _listed(urls: Sequence[str]) -> str:
    return ",".join(urls) or "nothing"
