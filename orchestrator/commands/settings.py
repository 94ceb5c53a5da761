"""``settings``: what the operator's own files have to say from now on, so that nobody puts http back."""

from orchestrator.commands import own_files, recall
from orchestrator.commands.status import read_progress
from orchestrator.plan.facts import Facts, Target
from orchestrator.report import settings as report
from orchestrator.session import Session


def reported(session: Session) -> str:
    """Return the final settings of every host, in the form and the file in which each has its own."""
    facts = facts_of(session)
    targets = [Target(session.cluster, facts, host) for host in session.cluster.etcd_hosts]
    found = own_files.places(session, targets)
    return "\n\n".join(report.text(target, found[target.name]) for target in targets)


def facts_of(session: Session) -> Facts:
    """Return what the run began with; without a run, what the hosts show now."""
    progress = read_progress(session)
    if progress.opened is None or progress.is_rolled_back:
        return recall.read_facts(session)
    recall.compile_noted(session, progress.opened)  # it refuses a file of another plan
    return progress.opened.facts
