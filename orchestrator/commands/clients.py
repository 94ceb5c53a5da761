"""``clients``: who talks plain http to each member and who TLS, by its watcher or by looking for a while."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from orchestrator.commands.status import read_progress
from orchestrator.errors import HostUnreachableError, UsageError
from orchestrator.etcd.checks.site import assumed
from orchestrator.etcd.facts import connections, talkers
from orchestrator.host.questions import Fact
from orchestrator.output import clear, out
from orchestrator.plan import spelling
from orchestrator.plan.facts import Target
from orchestrator.remote.each_host import HostError, ask_each
from orchestrator.report import clients
from orchestrator.report.clients import Heard
from orchestrator.session import Session

Value = TypeVar("Value")

PAUSE_S = 2.0
MOST_S = 600


@dataclass(frozen=True, slots=True)
class Wanted:
    """How it is to be shown, and for how many seconds one looks where no watcher runs."""

    is_json: bool = False
    is_followed: bool = False
    look_s: int = 5


def wanted(output: str, look: str, *, is_followed: bool) -> Wanted:
    """Read what was asked for on the command line; UsageError for what there is not."""
    if output not in {"text", "json"}:
        raise UsageError(f"--output {output}: there is text and json")
    try:
        spelling.duration(look)
        look_s = spelling.seconds(look)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from error
    if look_s > MOST_S:
        raise UsageError(f"--for {look}: at most {MOST_S // 60}m; for longer the watcher of a run is there")
    return Wanted(is_json=output == "json", is_followed=is_followed, look_s=max(1, round(look_s)))


def show(session: Session, wanted: Wanted, should_stop: Callable[[], bool]) -> None:
    """Print who talks to each member; raises for a host that did not answer, once all others are shown."""
    targets = members(session)
    while True:
        heard = look(session, targets, wanted.look_s)
        if wanted.is_followed:
            clear()
        out(clients.as_json(heard) if wanted.is_json else clients.table(heard))
        if not wanted.is_followed or should_stop():
            break
        time.sleep(PAUSE_S)
    for one in heard:
        if one.error is not None:
            raise one.error


def members(session: Session) -> tuple[Target, ...]:
    """Return the plan's members, in the light of the run's facts if there is one; no host is asked."""
    opened = read_progress(session).opened
    names = {member.name for member in session.cluster.members}
    facts = opened.facts if opened and set(opened.facts.members) == names else assumed(session.cluster, "v3")
    return tuple(Target(session.cluster, facts, host) for host in session.cluster.members)


def look(session: Session, targets: Sequence[Target], look_s: int) -> tuple[Heard, ...]:
    """Ask each member's watcher, look for a while where there is none, and learn whose processes they are."""
    recorded, errors = _asked(session, {one.name: talkers.recorded(one) for one in targets})
    unwatched = {name for name, found in recorded.items() if not found.watched_s}
    looked_at = {one.name: talkers.sampled(one, look_s) for one in targets if one.name in unwatched}
    sampled, not_sampled = _asked(session, looked_at)
    errors, found = {**errors, **not_sampled}, {**recorded, **sampled}
    ports = sorted({port for one in found.values() for port in one.ports})
    dialled = {host.name: connections.of(targets[0].of(host), ports, 1) for host in session.cluster.hosts}
    seen, _ = _asked(session, dialled) if ports else ({}, {})
    return tuple(
        Heard(
            one,
            watching=None if one.name in errors else found[one.name],
            is_watched=one.name not in unwatched,
            error=errors.get(one.name),
            seen=seen,
        )
        for one in targets
    )


def _asked(
    session: Session, facts: Mapping[str, Fact[Value]]
) -> tuple[Mapping[str, Value], Mapping[str, HostError]]:
    """Ask a fact of each host; returns what was read, and why the others have none, by the host's name."""
    heard = ask_each(session.hosts, [fact.question for fact in facts.values()])
    errors, values = dict(heard.errors), {}
    for name, fact in facts.items():
        if name in errors:
            continue
        try:
            values[name] = fact.read(heard.answers)
        except ValueError as error:
            errors[name] = HostUnreachableError(name, f"it does not show its connections: {error}")
    return values, errors
