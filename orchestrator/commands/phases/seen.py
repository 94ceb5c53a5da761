"""What a review says beside the runbook: what was seen on the hosts, and what the plan makes of it."""

from collections.abc import Iterable, Sequence

from orchestrator import commandline
from orchestrator.commands import recall
from orchestrator.commands.phases.call import Call
from orchestrator.engine.events import Opened, StepSucceeded
from orchestrator.engine.progress import Progress
from orchestrator.engine.state_file import read
from orchestrator.etcd import kept, overlap
from orchestrator.etcd.facts import peering, starts
from orchestrator.etcd.gather import targets_of
from orchestrator.etcd.install import detecting as sources
from orchestrator.host.operations import Job
from orchestrator.plan.facts import Facts, Target
from orchestrator.remote.each_host import ask_each
from orchestrator.report.review import lying
from orchestrator.report.review.model import Note
from orchestrator.report.review.seen import Seen
from orchestrator.session import Session
from orchestrator.text import counted, shown

MOVED = "clients that have moved to https are served over it until 'accept' is undone: move them back by then"


def seen(call: Call, opened: Opened, progress: Progress, jobs: Sequence[Job], outside: Sequence[str]) -> Seen:
    """Return what a review says of this call; ``outside`` is what somebody outside loses by it now."""
    session, facts = call.session, opened.facts
    members = targets_of(session.cluster, facts)
    everyone = (*members, *members[0].proxies)
    goes_back = call.direction == "back"
    there = recall.compile_there(session, facts)
    states = {**progress.states, **{host: doubt.target for host, doubt in progress.unsettled.items()}}
    return Seen(
        targets=(*everyone, *members[0].clients),
        meanings={state.name: state.meaning for state in session.migration.of(session.cluster).states},
        goes_back=goes_back,
        lying=lying.texts(there, everyone, states if goes_back else progress.states),
        notes=tuple(_notes(call, progress, members, outside)) if jobs else (),
        sources=(
            *described_sources(facts),
            *_kept(members),
            *(() if goes_back else _overlapping(members)),
            *_edited(members),
        ),
        lasting=tuple(_lasting(call, progress, members, jobs)),
        undoing=recall.undoing(session, goes_back=goes_back),
        times=tuple(_times(session, progress, jobs)),
        away_s={} if call.shape.is_offline else _away(session, everyone),
        assumed=call.assumed,
        varied=call.varied,
    )


def _notes(
    call: Call, progress: Progress, members: tuple[Target, ...], outside: Sequence[str]
) -> Iterable[Note]:
    """Say who loses what by it, as seen now, and what was left half done and is put right first."""
    may_move = any(map(overlap.served, members))
    moved = (MOVED,) if call.direction == "back" and may_move else ()
    for text in filter(None, (call.runbook.losses, *call.cut_off, *outside, *moved)):
        yield Note("MAY MOVE" if may_move else "CUT OFF", text)
    first = call.runbook.stages[0].round
    for text in _repairs(progress, members):
        yield Note("REPAIR", f"{text}; put right in the round {first!r}, before anything restarts")


def _repairs(progress: Progress, members: tuple[Target, ...]) -> tuple[str, ...]:
    return () if progress.attempts else tuple(peering.repairs(members))


def _lasting(
    call: Call, progress: Progress, members: tuple[Target, ...], jobs: Sequence[Job]
) -> Iterable[str]:
    """Say what nothing brings back."""
    if any(call.runbook.step(job.step).restarts for job in jobs):
        yield "A restart ends the connections to its member: clients have to connect anew."
    if call.direction == "forward" and _repairs(progress, members):
        yield "The registry that is put right stays so: a rollback ends there."
    if any(unit.before or unit.after for unit in call.session.cluster.clients.units):
        yield "What the plan's own commands do (clients.units: before, after)."


def _times(session: Session, progress: Progress, jobs: Sequence[Job]) -> Iterable[str]:
    """Say how long it takes where that was measured: by the steps of this very run."""
    done = read(session.state)[0] if progress.attempts else ()
    took_s = [event.took_s for event in done if isinstance(event, StepSucceeded) and not event.is_adopted]
    steps = [job for job in jobs if not job.successor]
    if took_s and steps:
        each_s = sum(took_s) / len(took_s)
        yield (
            f"about {each_s * len(steps):.0f} s: {counted(len(steps), 'step')} left, and those so far "
            f"({len(took_s)}) took {each_s:.1f} s each; waiting for clients comes to that."
        )
    elif steps:
        rehearsing = commandline.command("rehearse", commandline.argument(session.plan))
        yield (
            "not known before it was tried: "
            f"{rehearsing} takes the same steps on this machine, and measures them."
        )


def _away(session: Session, everyone: Iterable[Target]) -> dict[str, float]:
    """Ask each host how long its service was away at its last restart; who does not say is left out."""
    asked = {target.name: starts.last_restart(target) for target in everyone}
    heard = ask_each(session.hosts, (fact.question for fact in asked.values()))
    found = {}
    for name, fact in asked.items():
        try:
            away_s = fact.read(heard.answers)
        except (LookupError, ValueError):
            continue
        if away_s is not None:
            found[name] = away_s
    return found


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


def described_sources(facts: Facts) -> Iterable[str]:
    """Say which hosts have their settings elsewhere than in Environment= lines of the unit, and where."""
    found: dict[str, list[str]] = {}
    for name, host in {**facts.members, **facts.proxies}.items():
        if host.source:
            found.setdefault(sources.described(host.source), []).append(name)
    for described, names in found.items():
        yield f"{', '.join(names)}: settings from {described}, changed there by files of ours beside theirs."
