"""Phases before the first change: they look, refuse and ask, and leave hosts and state file as they are."""

from orchestrator.commands import check, locks, recall
from orchestrator.commands.phases.call import Call
from orchestrator.errors import RefusedError, StoppedError
from orchestrator.etcd.facts import peering
from orchestrator.etcd.gather import targets_of


def refuse_rivals(call: Call) -> None:
    """Refuse if another run has a lock. Locking decides; this spares a person the review."""
    locks.refuse_rivals(call.session, call.run)


def check_hosts(call: Call) -> None:
    """Look for what could stop the run, and compile its runbook; there is no run on a migrated cluster."""
    found = check.passed(call.session, call.say)
    if found is None:
        call.say(check.MIGRATED.format(state=call.session.end))
        call.is_over = True
        return
    facts, call.cut_off = found
    call.facts = recall.overlapping(call.session, facts) if _overlaps(call) else facts
    call.runbook = recall.compile_there(call.session, call.facts)


def _overlaps(call: Call) -> bool:
    """Whether clients are served in both schemes for a while; what the plan leaves open, those decide."""
    wanted, migration = call.session.cluster.clients.overlap, call.session.migration
    if wanted is True and not migration.overlaps:
        raise RefusedError(
            f"nothing was changed: the strategy {migration.name!r} serves no https beside http, as "
            "clients.overlap in the plan wants it: leave that out, or choose the strategy 'bridge'"
        )
    moved = bool(call.session.cluster.clients.units)
    if moved and not migration.overlaps:
        raise RefusedError(
            f"nothing was changed: the strategy {migration.name!r} moves no clients, as clients.units in the "
            "plan wants it: leave that out, or choose the strategy 'bridge'"
        )
    was_reviewed = call.approval is not None and call.approval.facts.overlaps
    found = moved or bool(call.cut_off) or was_reviewed  # those that were seen may come again
    return migration.overlaps and (found if wanted == "auto" else wanted)


def refuse_unfinished(call: Call) -> None:
    """Refuse a plain run over one that was begun and not finished: going on with it has to be asked for."""
    session, progress = call.session, call.event_log.progress
    if progress.attempts and not progress.is_finished and not call.options.resume:
        where = ", ".join(
            f"{host.name} in {progress.states.get(host.name, 'its first state')}"
            for host in session.cluster.hosts
        )
        raise StoppedError(f"{session.state} holds an unfinished run ({where})")


def recall_run(call: Call) -> None:
    """Compile the state file's runbook again, for hosts that still let it be carried out."""
    progress = call.event_log.progress
    call.runbook = recall.recall(call.session, progress)
    if progress.opened:
        check.undisputed(call.session, progress.opened.facts, progress.unsettled)


def recall_way_back(call: Call) -> None:
    """Compile the way back of the state file's runbook, for hosts that it brings back to what they were."""
    progress = call.event_log.progress
    call.runbook = recall.recall_back(call.session, progress)
    if progress.opened:
        check.returnable(call.session, progress.opened.facts)


def accept_risk(call: Call) -> None:
    """Refuse a strategy that is unsafe by design, unless the operator has accepted that."""
    if call.runbook.risk and not call.options.accept_risk:
        raise RefusedError(f"nothing was changed: {call.runbook.risk}. To go on all the same: --accept-risk")


def accept_repair(call: Call) -> None:
    """Ask whether a half-done registry is put right by the first round; refuse without a yes."""
    found = "; ".join(peering.repairs(targets_of(call.session.cluster, call.facts)))
    if not found or call.options.repair:
        return
    if call.confirm is None:
        raise RefusedError(f"nothing was changed: {found}. To have that put right first: --repair")
    if not call.confirm(f"{found}. Put that right first?"):
        raise RefusedError("nothing was changed: you said no")


def ask(call: Call) -> None:
    """Ask the person who has read the review, which shows every round, how far to go."""
    pause = f", and pause in {call.options.until!r}" if call.options.until else ""
    if call.confirm is not None and not call.confirm(f"Do this{pause}?"):
        raise RefusedError("nothing was changed: you said no")
