"""Who talks to the members: a table for people, and JSON for programs; pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.etcd.checks.talkers import is_client, loses, span, who
from orchestrator.etcd.facts.connections import Connections
from orchestrator.etcd.facts.talkers import Talker, Watching
from orchestrator.plan.facts import Target
from orchestrator.remote.each_host import HostError

FORMAT = 1
_HEAD = ("member", "client", "speaks", "port", "since", "last seen", "connections", "open", "received")
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class Heard:
    """What one member's host has shown, or the ``error`` why it has not.

    ``is_watched`` says that its watcher has, and not a look of some seconds; ``seen`` holds who dialled whom,
    by the names of the plan's hosts.
    """

    target: Target
    watching: Watching | None
    is_watched: bool
    error: HostError | None
    seen: Mapping[str, Connections]

    @property
    def talkers(self) -> Sequence[Talker]:
        """Who has talked to it, those that are cut off first, and among them those that were seen last."""
        found = self.watching.talkers if self.watching else ()
        return sorted(
            found, key=lambda one: (not loses(self.target, one), not is_client(self.target, one), one.last_s)
        )


def table(heard: Sequence[Heard]) -> str:
    """Return everything as an aligned table, and what it was seen by; without anybody there is no table."""
    rows = [_HEAD, *(row for one in heard for row in _rows(one))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    shown_rows = (*lines, "") if rows[1:] else ()
    return "\n".join((*shown_rows, *map(_seen_by, heard), _summary(heard)))


def _rows(one: Heard) -> Iterable[tuple[str, ...]]:
    for talker in one.talkers:
        yield (
            one.target.name,
            who(one.target, talker, one.seen) + ("" if is_client(one.target, talker) else ", does not count"),
            {"http": "plain http", "https": "TLS", "unknown": "unknown"}[talker.scheme],
            str(talker.port),
            f"{span(talker.first_s)} ago",
            "now" if talker.open else f"{span(talker.last_s)} ago",
            str(talker.connections),
            str(talker.open),
            _size(talker.received_bytes),
        )


def _size(count: float) -> str:
    for unit in _UNITS[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.0f} {_UNITS[-1]}"


def _seen_by(one: Heard) -> str:
    if one.watching is None:
        return f"{one.target.name}: {one.error.reason if one.error else 'no answer'}"
    ports = ", ".join(f"{port} {' and '.join(found)}" for port, found in sorted(one.watching.ports.items()))
    how = "watched" if one.is_watched else "no watcher runs, looked"
    told = "" if one.watching.means != "ports" else "; without perl and python3 there, only by the port"
    return f"{one.target.name}: {how} for {span(one.watching.watched_s)} (ports {ports}{told})"


def _summary(heard: Iterable[Heard]) -> str:
    cut_off = {
        who(one.target, talker, one.seen)
        for one in heard
        for talker in one.talkers
        if loses(one.target, talker)
    }
    if not cut_off:
        return "nobody was seen that talks plain http and is cut off when http is closed"
    count = "1 client is" if len(cut_off) == 1 else f"{len(cut_off)} clients are"
    return f"{count} cut off when http is closed: {', '.join(sorted(cut_off))}"


def as_json(heard: Sequence[Heard]) -> str:
    """Return everything as one line of JSON; docs/clients.md says what its fields mean."""
    return json.dumps({"format": FORMAT, "members": [_member(one) for one in heard]})


def _member(one: Heard) -> Mapping[str, object]:
    found = one.watching
    return {
        "name": one.target.name,
        "error": None if found else _seen_by(one),
        "is_watched": one.is_watched,
        "watched_s": round(found.watched_s, 1) if found else 0,
        "means": found.means if found else None,
        "ports": {str(port): list(schemes) for port, schemes in found.ports.items()} if found else {},
        "clients": [_client(one, talker) for talker in one.talkers],
    }


def _client(one: Heard, talker: Talker) -> Mapping[str, object]:
    return {
        "address": talker.address,
        "name": who(one.target, talker, one.seen),
        "port": talker.port,
        "scheme": talker.scheme,
        "is_local": talker.is_local,
        "unit": talker.unit or None,
        "process": talker.process or None,
        "since_s": round(talker.first_s, 1),
        "last_seen_s": round(talker.last_s, 1),
        "connections": talker.connections,
        "open": talker.open,
        "received_bytes": talker.received_bytes,
        "is_client": is_client(one.target, talker),
        "is_cut_off": loses(one.target, talker),
    }
