"""``files``: what a migration puts on a host, to compare with what lies there, or to put back by hand."""

from collections.abc import Iterable

from orchestrator.commands import recall
from orchestrator.commands.status import read_progress
from orchestrator.errors import UsageError
from orchestrator.host import places
from orchestrator.host.operations import EditFile, ReplaceFile, Write
from orchestrator.plan.model import EtcdHost, Host
from orchestrator.report.review.operations import operation_lines
from orchestrator.session import Session


def reported(session: Session, name: str) -> str:
    """Return the files of one host, by round; a key is shown by its digest and its path on the bastion.

    UsageError for a host that the plan does not name.
    """
    host = next((host for host in session.cluster.hosts if host.name == name), None)
    if host is None:
        names = ", ".join(host.name for host in session.cluster.hosts)
        raise UsageError(f"{name}: the plan's hosts are {names}")
    progress = read_progress(session)
    if progress.opened:
        runbook = recall.recall(session, progress)
    else:
        runbook = recall.compile_there(session, recall.read_facts(session))
    stands = progress.states.get(name, runbook.origins[name])
    lines = [f"{name} stands in {stands}.{_pair(host)}"]
    reported_once: list[Write | EditFile | ReplaceFile] = []
    for stage in runbook.stages:
        step = next((step for step in stage.steps if step.host == name), None)
        written = (
            [one for one in step.operations if isinstance(one, Write | EditFile | ReplaceFile)]
            if step
            else []
        )
        # what lies below /run does not stay
        files = [one for one in written if not one.path.startswith("/run/") and one not in reported_once]
        reported_once += files
        if files:
            lines += ["", f"from {stage.target} on:"]
            lines += [f"  {line}" for file in files for line in _lines(file)]
    return "\n".join(lines)


def _pair(host: Host) -> str:
    """Say where the files lie that were copied to a host that runs etcd."""
    if not isinstance(host, EtcdHost):
        return ""
    return f" Certificate: {host.certificate}, key: {host.key} (on this machine)"


def _lines(file: Write | EditFile | ReplaceFile) -> Iterable[str]:
    yield from operation_lines(file)
    if isinstance(file, EditFile):
        yield f"  the whole of it, as a run left it, lies on the host: {places.EDITED}{file.path}"
    if isinstance(file, ReplaceFile):
        yield "  the new content is the plan's (clients.units)"
        yield f"  what stood in it before lies on the host, for root alone: {places.REPLACED}{file.path}"
