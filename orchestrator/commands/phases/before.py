"""Phases before the first change: they look, refuse and ask, and leave hosts and state file as they are."""

from orchestrator.commands import check, locks, recall
from orchestrator.commands.phases.context import Context
from orchestrator.errors import RefusedError, StoppedError
from orchestrator.output import out


def refuse_rivals(context: Context) -> None:
    """Refuse if another run has a lock. Locking decides; this spares a person the review."""
    locks.refuse_rivals(context.session, context.run)


def check_hosts(context: Context) -> None:
    """Look for what could stop the run, and compile its runbook; there is no run on a migrated cluster."""
    found = check.passed(context.session)
    if found is None:
        track = context.session.migration.track("member")
        out(check.MIGRATED.format(state=track[-1].name))
        context.is_over = True
        return
    context.facts, context.cut_off = found
    context.runbook = recall.compile_there(context.session, context.facts)


def refuse_unfinished(context: Context) -> None:
    """Refuse a plain run over one that was begun and not finished: going on with it has to be asked for."""
    session, progress = context.session, context.journal.progress
    if progress.attempts and not progress.is_finished and not context.options.resume:
        where = ", ".join(
            f"{host.name} in {progress.states.get(host.name, 'its first state')}"
            for host in session.cluster.hosts
        )
        raise StoppedError(f"{session.state} holds an unfinished run ({where})")


def recall_run(context: Context) -> None:
    """Compile the state file's runbook again, for hosts that still let it be carried out."""
    progress = context.journal.progress
    context.runbook = recall.recall(context.session, progress)
    if progress.opened:
        check.undisputed(context.session, progress.opened.facts, progress.unsettled)


def recall_way_back(context: Context) -> None:
    """Compile the way back of the state file's runbook."""
    context.runbook = recall.recall_back(context.session, context.journal.progress)


def accept_risk(context: Context) -> None:
    """Refuse a strategy that is unsafe by design, unless the operator has accepted that."""
    if context.runbook.risk and not context.options.accept_risk:
        raise RefusedError(
            f"nothing was changed: {context.runbook.risk}. To go on all the same: --accept-risk"
        )


def ask(context: Context) -> None:
    """Ask the person who has read the review."""
    if context.confirm is not None and not context.confirm("Do this?"):
        raise RefusedError("nothing was changed: you said no")
