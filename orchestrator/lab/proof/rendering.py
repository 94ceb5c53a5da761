"""The text in which an operator reads a rehearsal's outcome: tables, facts, and the verdict."""

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.lab.clients.local_clients import LocalClient
from orchestrator.lab.proof.access import Visitor
from orchestrator.lab.proof.crowd import failures, note
from orchestrator.lab.proof.evidence import MemberProof, ProxyProof
from orchestrator.lab.proof.outcome import Outcome, listed, shortcomings
from orchestrator.lab.proof.rests import reported
from orchestrator.plan.kinds import USUAL_LOCAL_PORT
from orchestrator.probe.tally import ClientReport, ProbeReport

Row = tuple[str, ...]


def render(outcome: Outcome) -> str:
    """Write the outcome as text: the hosts, who is let in, what became of the writes, the verdict."""
    local, lacking = outcome.cluster.local_port or USUAL_LOCAL_PORT, shortcomings(outcome)
    verdict = ["Not proved:", *(f"  {each}" for each in lacking)] if lacking else ["Proved."]
    reports = {"every member": outcome.probe, **outcome.single_ways} if outcome.single_ways else {}
    blocks = (
        outcome.closing.reported.rstrip() if outcome.closing else "",
        table(registry(outcome.members)),
        table(doors(outcome.members, local)),
        table(proxies(outcome.proxies)),
        table(probes(reports)),
        table(crowd(outcome)),
        table(local_clients(outcome.local_clients)),
        table(_facts(outcome)),
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
        *_history(probe),
        ("longest stall", f"{stall_s:.3f} s, {after_s:.1f} s after the first write"),
        ("latency", f"median {median_ms:.1f} ms, 99 % {p99_ms:.1f} ms"),
        ("fail-overs", str(probe.failovers)),
        ("lease", f"{probe.lease}, {probe.lease_renewals} renewals, {probe.failed_lease_renewals} failed"),
        *([("clients list", reported(outcome.rests))] if outcome.rests else []),
        ("program", f"exit {outcome.program_exit} after {outcome.program_took_s:.1f} s"),
        *_way_back(outcome),
        ("in all", f"{outcome.took_s:.1f} s"),
    ]


def _history(probe: ProbeReport) -> Iterator[tuple[str, str]]:
    if probe.watched:
        seen = f"{probe.contradictions} contradictions in {probe.attempts} writes and {probe.reads} reads"
        yield "history", f"{seen}; a watch delivered {probe.watched} revisions"


def _way_back(outcome: Outcome) -> Iterator[tuple[str, str]]:
    back = outcome.way_back
    if back is not None:
        yield "rollback", f"exit {back.exit_code} after {back.took_s:.1f} s"


def registry(members: Sequence[MemberProof]) -> list[Row]:
    """Where each member is registered, and how often it was started anew."""
    heading = ("member", "peer URLs", "client URLs", "restarts")
    return [
        heading,
        *((m.name, listed(m.peer_urls), listed(m.client_urls), str(m.restarts)) for m in members),
    ]


def doors(members: Sequence[MemberProof], local: int) -> list[Row]:
    """Who is let in where; ``local`` is the port for unencrypted clients on loopback."""
    return [
        ("who probes where", *(member.name for member in members)),
        *((f"client port: {who}", *(m.client_port[who] for m in members)) for who in Visitor),
        *((f"peer port: {who}", *(m.peer_port[who] for m in members)) for who in Visitor),
        (f"port {local}: plain http, on the host", *(m.local for m in members)),
        (f"port {local}: plain http, from outside", *(m.local_from_outside for m in members)),
    ]


def proxies(found: Sequence[ProxyProof]) -> list[Row]:
    """What each proxy shows, port by port."""
    if not found:
        return []
    rows: list[Row] = [("proxy", *(each.name for each in found))]
    for port in found[0].on_host:
        rows += [
            (f"port {port}: plain http, on the host", *(each.on_host[port] for each in found)),
            (f"port {port}: plain http, from outside", *(each.from_outside[port] for each in found)),
        ]
    rows += [("peer URLs it works with", *(listed(each.peer_urls) for each in found))]
    return [*rows, ("restarts", *(str(each.restarts) for each in found))]


def probes(reports: Mapping[str, ProbeReport]) -> list[Row]:
    """What became of the writes, by the way they went."""
    if not reports:
        return []
    return [
        ("writes through", "offered", "acknowledged", "failed", "lost", "longest stall"),
        *(
            (
                name,
                *(str(count) for count in (each.attempts, each.acknowledged, each.failed, each.lost)),
                f"{each.longest_stall_s:.3f} s",
            )
            for name, each in reports.items()
        ),
    ]


def crowd(outcome: Outcome) -> list[Row]:
    """What clients of every kind went through, and the main client beside them."""
    if not outcome.crowd:
        return []
    closed = outcome.http_closed_at
    main = ClientReport.of("moves to https", outcome.probe)
    return [
        ("client", "operations", "failed", "longest stall", "missed revisions", ""),
        *(
            (
                each.kind,
                str(each.attempts),
                str(failures(each, closed)),
                f"{each.longest_stall_s:.3f} s",
                "" if each.missed is None else str(each.missed),
                note(each, closed),
            )
            for each in (main, *outcome.crowd)
        ),
    ]


def local_clients(clients: Sequence[LocalClient]) -> list[Row]:
    """How each watched unit fared. "since" is the time from etcd's last start on that host on."""
    if not clients:
        return []
    return [
        ("local client", "on", "state", "errors before etcd's last start", "since", "last error"),
        *(
            (
                each.unit,
                each.host,
                each.state,
                str(each.errors_before),
                str(each.errors_after),
                "none" if each.last_error_s is None else f"{each.last_error_s:.1f} s ago",
            )
            for each in clients
        ),
    ]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Align the columns of a table."""
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
