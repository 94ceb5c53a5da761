"""``graph``: a migration's states as a picture, with where the hosts of a plan stand by its state file."""

from pathlib import Path

from orchestrator.engine.state_file import progress_of
from orchestrator.errors import RefusedError, UsageError
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.faults import meant
from orchestrator.report.diagram import FORMATS, drawn
from orchestrator.report.tables import named
from orchestrator.session import unconnected
from orchestrator.text import shown


def picture(migration: str | None, kind: str, plan: Path | None, state: Path | None) -> str:
    """Return it; with a plan it is that plan's migration, and no host is asked."""
    if kind not in FORMATS:
        raise UsageError(f"--format {shown(kind)}: {meant(kind, FORMATS)}")
    if plan is None:
        return drawn(named(migration or next(iter(MIGRATIONS))), kind, {})
    session = unconnected(plan, state)
    cluster, own = session.cluster, session.migration
    if migration not in {None, cluster.strategy}:
        raise UsageError(f"graph {migration}: the plan's migration is {cluster.strategy}; leave the name out")
    with session.advising():
        progress = progress_of(session.state)
    opened = progress.opened
    if opened and (opened.cluster, opened.migration) != (cluster.name, own.name):
        raise RefusedError(f"{session.state} tells of a run of another plan: name this plan's with --state")
    here: dict[str, list[str]] = {}
    for role, hosts in (("member", cluster.members), ("proxy", cluster.proxies)):
        track = own.track("member" if role == "member" else "proxy")
        for host in hosts:
            here.setdefault(progress.states.get(host.name, track[0].name), []).append(host.name)
    return drawn(own, kind, here)
