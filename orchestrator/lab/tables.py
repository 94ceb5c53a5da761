"""The tables in a rehearsal's outcome: rows of text, the first one the heading; no rows, no table."""

from collections.abc import Mapping, Sequence

from orchestrator.lab.doors import Visitor
from orchestrator.lab.judgement import listed
from orchestrator.lab.localclients import LocalClient
from orchestrator.lab.proof import MemberProof
from orchestrator.lab.proxyproof import ProxyProof
from orchestrator.lab.tally import ProbeReport

Row = tuple[str, ...]


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
        ("who knocks where", *(member.name for member in members)),
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
