"""The phase that shows every step before a person is asked."""

from collections.abc import Iterable
from dataclasses import replace

from orchestrator.commands.dry_run import rehearse
from orchestrator.commands.phases.call import Call
from orchestrator.commands.recall import header
from orchestrator.engine.progress import Progress
from orchestrator.errors import RefusedError, StoppedError
from orchestrator.etcd import kept, overlap
from orchestrator.etcd.facts import peering
from orchestrator.etcd.gather import targets_of
from orchestrator.etcd.install import detecting as sources
from orchestrator.output import out
from orchestrator.plan.facts import Facts, Target
from orchestrator.report import review as text
from orchestrator.text import shown

MOVED = "clients that have moved to https are served over it until 'accept' is undone: move them back by then"


def review(call: Call) -> None:
    """Print every step that the run will take from here; refuses what would stop at once."""
    session, progress = call.session, call.event_log.progress
    if not progress.attempts:
        progress = Progress.of([header(session, call.run, call.facts, call.runbook)])
    outside: list[str] = []

    def note(reasons: str) -> bool:
        outside.append(f"the run waits first, or stops: {reasons}")
        return True

    quiet = replace(call.context, narrate=lambda _: None, insist=note, waits=False)
    try:
        jobs = rehearse(call.runbook, session.hosts, progress, quiet)
    except StoppedError as error:
        raise RefusedError(f"a run would stop at once: {error}") from error
    facts = progress.opened.facts if progress.opened else None
    everyone = targets_of(session.cluster, facts) if facts else ()
    may_move = any(map(overlap.served, everyone))
    if call.direction == "back" and may_move:
        outside.append(MOVED)
    found = (
        *(_sources(facts) if facts else ()),
        *_kept(everyone),
        *(_overlapping(everyone) if call.direction == "forward" else ()),
        *_edited(everyone),
    )
    repairs = () if progress.attempts else tuple(peering.repairs(everyone))
    out(text.review(call.runbook, jobs, (*call.cut_off, *outside), found, repairs, may_move=may_move))


def _kept(everyone: tuple[Target, ...]) -> Iterable[str]:
    """Say who speaks https already, and so keeps what it has."""
    peers = ", ".join(one.name for one in everyone if kept.keeps_peers(one))
    clients = ", ".join(one.name for one in everyone if kept.keeps_clients(one))
    if peers:
        yield f"{peers}: peers speak https already; their listeners and certificates stay as they are."
    if clients:
        yield f"{clients}: clients are served over https already; that listener and its certificate stay."


def _overlapping(everyone: tuple[Target, ...]) -> Iterable[str]:
    """Say where clients find https before http is closed, and what a run waits for then."""
    urls = [url for one in everyone for url in overlap.served(one)]
    if urls:
        clients = everyone[0].cluster.clients
        yield (
            f"Clients are served over https beside http from 'accept' on: {', '.join(urls)}. Before http is "
            f"closed the run waits until nobody has spoken it for {clients.quiet_s:g} s."
        )


def _edited(everyone: tuple[Target, ...]) -> Iterable[str]:
    """Say which of the operator's own files are edited, and what becomes of ours."""
    for one in everyone:
        paths = ", ".join(shown(file.path, quote="") for file in one.found.own_files)
        if paths:
            yield f"{one.name}: {paths}: edited in place once every member is sealed; then ours go."


def _sources(facts: Facts) -> Iterable[str]:
    """Say which hosts have their settings elsewhere than in Environment= lines of the unit, and where."""
    found: dict[str, list[str]] = {}
    for name, host in {**facts.members, **facts.proxies}.items():
        if host.source:
            found.setdefault(sources.described(host.source), []).append(name)
    for described, names in found.items():
        yield f"{', '.join(names)}: settings from {described}, changed there by files of ours beside theirs."
