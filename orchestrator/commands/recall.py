"""The runbook of a plan: compiled of what the hosts show now, or again of what a state file remembers."""

from collections.abc import Iterable

from orchestrator import __version__
from orchestrator.engine.events import Opened
from orchestrator.engine.fit import edited, misfit
from orchestrator.engine.progress import Progress
from orchestrator.errors import RefusedError, UsageError
from orchestrator.etcd import gather as gathering
from orchestrator.etcd.gather import gather
from orchestrator.plan.facts import Facts
from orchestrator.plan.model import Host
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook
from orchestrator.session import Session
from orchestrator.text import shown


def read_facts(session: Session, *, overlaps: bool = False) -> Facts:
    """Read the facts off the hosts; ``overlaps`` is decided already, and the edits of own files follow it."""
    return gather(session.cluster, session.hosts.look, overlaps=overlaps)


def overlapping(session: Session, facts: Facts) -> Facts:
    """Return facts that were just read, with clients served in both schemes."""
    return gathering.overlapping(session.cluster, facts, session.hosts.look)


def compile_there(session: Session, facts: Facts) -> Runbook:
    """Compile the runbook of the plan's migration; refuses facts of other hosts than the plan's."""
    _refuse_strange(session, facts)
    return compile_forward(session.cluster, facts, session.migration)


def compile_back(session: Session, facts: Facts) -> Runbook:
    """Compile the way back; refuses facts of other hosts than the plan's."""
    _refuse_strange(session, facts)
    return compile_backward(session.cluster, facts, session.migration)


def compile_noted(session: Session, opened: Opened) -> Runbook:
    """Compile the runbook of the facts that a file holds, which anybody may have changed."""
    theirs = (opened.migration, opened.cluster)
    ours = (session.migration.name, session.cluster.name)
    if theirs != ours:
        raise RefusedError(
            f"nothing was changed: {session.state} tells of {' of '.join(theirs)}, and {session.plan} says "
            f"{' of '.join(ours)}. Put the plan back as it was, or name this plan's own file with --state"
        )
    try:
        return compile_there(session, opened.facts)
    except (LookupError, ValueError) as error:
        raise RefusedError(
            f"{session.state}:1: its events do not fit the runbook; nothing was changed: put the "
            f"file back as it was, or move it away and rebuild it: {session.command('recover')}"
        ) from error


def recall(session: Session, progress: Progress) -> Runbook:
    """Compile the runbook that a state file belongs to; refuses a plan that was edited since."""
    if progress.opened is None:
        raise UsageError(
            f"{session.state} is empty or missing: there is nothing to go on with, and nothing to undo. "
            f"To begin: {session.command('run')}. If the file was lost: {session.command('recover')}"
        )
    runbook = compile_noted(session, progress.opened)
    if runbook.digest != progress.opened.runbook:
        other = edited(progress, runbook, compile_back(session, progress.opened.facts))
        reported = f" ({', '.join(other)} would do something else now)" if other else ""
        digests = f"its runbook is {runbook.digest[:12]}, the state file's is {progress.opened.runbook[:12]}"
        if progress.opened.tool != __version__:
            raise RefusedError(
                f"{session.plan}: {digests}{reported}; nothing was changed now. That run began with version "
                f"{shown(progress.opened.tool, quote='')} of this program, and this is {__version__}: give "
                "this command with that version. If it refuses too, put the plan and its files back as they "
                "were"
            )
        raise RefusedError(
            f"{session.plan} (or a certificate that it names) was changed since the run began: "
            f"{digests}{reported}; nothing was changed now. Put the plan and its files back as they were, "
            "then give this command again; hosts that have their files keep them in the tls.directory of "
            "the plan then "
            f"(now: {session.cluster.tls.directory})"
        )
    refuse_misfit(session, progress, runbook)
    return runbook


def recall_back(session: Session, progress: Progress) -> Runbook:
    """Compile the way back of the runbook that a state file belongs to; refuses what recall refuses."""
    recall(session, progress)
    if progress.opened is None or not progress.attempts:
        raise UsageError(f"{session.state}: no step was ever begun, so there is nothing to undo")
    return compile_back(session, progress.opened.facts)


def refuse_misfit(session: Session, progress: Progress, runbook: Runbook) -> None:
    """Refuse a state file that tells of what cannot have happened in its runbook."""
    if progress.opened is None:
        return
    found = misfit(progress, runbook, compile_back(session, progress.opened.facts))
    if found:
        raise RefusedError(
            f"{session.state}:{found}; nothing was changed: put the plan and the file back as they were, or "
            f"move the file away and rebuild it: {session.command('recover')}"
        )


def header(session: Session, run: str, facts: Facts, runbook: Runbook) -> Opened:
    """First line of a new state file."""
    return Opened(
        tool=__version__,
        run=run,
        cluster=session.cluster.name,
        migration=session.migration.name,
        runbook=runbook.digest,
        facts=facts,
    )


def _refuse_strange(session: Session, facts: Facts) -> None:
    cluster = session.cluster
    roles: tuple[Iterable[Host], ...] = (cluster.members, cluster.proxies, cluster.clients.hosts)
    planned = [{host.name for host in hosts} for hosts in roles]
    found = [set(facts.members), set(facts.proxies), set(facts.clients)]
    if planned != found:
        names, others = (", ".join(sorted(set.union(*each))) or "none" for each in (planned, found))
        raise RefusedError(
            f"nothing was changed: {session.plan} names the hosts {names}, and the run began with {others}. "
            "Put the plan back as it was; a cluster is migrated with the hosts with which its run began"
        )


def undoing(session: Session, *, goes_back: bool) -> str:
    """Say what undoes a way."""
    if goes_back:
        return f"{session.resume_command} leads forward again"
    return f"{session.command('rollback')} leads back from every state"
