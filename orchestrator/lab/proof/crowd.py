"""What a rehearsal has to show of clients of every kind, and when http was closed on purpose."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from orchestrator.lab.clients.crowd import PLAIN
from orchestrator.probe.tally import ClientReport

CLOSING = "switch"  # the round that closes http, in each strategy


def closed_at(state: Path, members: Sequence[str]) -> float | None:
    """Return when the last member was about to close http, in seconds since 1970, as a state file says.

    None if it was not closed everywhere. Until then, whoever knows every member's http is served.
    """
    try:
        lines = state.read_text().splitlines()
    except FileNotFoundError:
        return None
    began: dict[str, float] = {}
    for event in map(json.loads, lines):
        if event.get("event") == "step_started":
            began.setdefault(event["step"], datetime.fromisoformat(event["at"]).timestamp())
    steps = [f"{CLOSING}/{name}" for name in members]
    return max(began[step] for step in steps) if all(step in began for step in steps) else None


def failures(client: ClientReport, closed: float | None) -> int:
    """Count the failures that must not be: who knows http alone may fail once that is closed on purpose."""
    if client.kind != PLAIN or closed is None:
        return client.failed
    return sum(at < closed for at in client.failed_at)


def of_client(client: ClientReport, closed: float | None) -> Iterator[str]:
    """Yield what a client suffered, and should not have."""
    if client.attempts == 0:
        yield f"{client.kind}: nothing that it wanted was done."
    if count := failures(client, closed):
        first = f"; the first: {client.complaints[0]}" if client.complaints else ""
        yield f"{client.kind}: {count} of {client.attempts} operations failed{first}."
    if client.missed:
        yield f"{client.kind}: {client.missed} revisions were missed."
    yield from (f"{client.kind}: {what}." for what in client.broken)


def note(client: ClientReport, closed: float | None) -> str:
    """Say over what a client wrote, or whether it was cut off on purpose."""
    if client.failed > failures(client, closed):
        return "closed on purpose"
    return ", ".join(f"{count} over {scheme}" for scheme, count in client.writes_over.items())
