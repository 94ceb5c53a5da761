"""``files``: what a migration puts on a host, to compare with what lies there, or to put back by hand."""

from collections.abc import Iterable

from orchestrator.commands import recall
from orchestrator.commands.status import read_progress
from orchestrator.engine.progress import Progress
from orchestrator.errors import UsageError
from orchestrator.host import places
from orchestrator.host.operations import EditFile, Remove, ReplaceFile, Secret, Write
from orchestrator.plan.model import EtcdHost, Host
from orchestrator.report.review.operations import operation_lines
from orchestrator.runbook.model import Runbook
from orchestrator.session import Session
from orchestrator.text import shown


def reported(session: Session, name: str) -> str:
    """Return the files of one host, by round; a key is shown by its digest and its path on the bastion.

    UsageError for a host that the plan does not name.
    """
    host = _host(session, name)
    progress = read_progress(session)
    runbook = _runbook(session, progress)
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


def content(session: Session, name: str, path: str) -> str:
    """Return what a file of ours holds on a host where that stands now, and nothing else.

    UsageError for a host that the plan does not name, and for a path of which there is nothing to print.
    """
    _host(session, name)
    progress = read_progress(session)
    runbook = _runbook(session, progress)
    stands, track = progress.states.get(name, runbook.origins[name]), runbook.tracks[name]
    reached = track[1 : track.index(stands) + 1]
    there = {
        operation.path: operation
        for stage in runbook.stages
        if stage.target in reached
        for step in stage.steps
        if step.host == name
        for operation in step.operations
        if isinstance(operation, Write | Remove | EditFile | ReplaceFile)
    }
    files = [one for one, operation in there.items() if isinstance(operation, Write)]
    found = there.get(path)
    if isinstance(found, EditFile | ReplaceFile):
        raise UsageError(f"{path} is a file of yours: {session.command('files', name)} says where it lies")
    if not isinstance(found, Write):
        raise UsageError(
            f"{shown(path)} is none of the files that {name} has of a run in {stands}: "
            f"{', '.join(files) or 'there are none'}"
        )
    if isinstance(found.content, Secret):
        raise UsageError(f"{path} holds a key, which is not printed: {session.command('files', name)}")
    return found.content


def _runbook(session: Session, progress: Progress) -> Runbook:
    """Return the run's, which refuses a plan that was edited since, or the one that a run would have."""
    if progress.opened:
        return recall.recall(session, progress)
    return recall.compile_there(session, recall.read_facts(session))


def _host(session: Session, name: str) -> Host:
    host = next((host for host in session.cluster.hosts if host.name == name), None)
    if host is None:
        names = ", ".join(host.name for host in session.cluster.hosts)
        raise UsageError(f"{name}: the plan's hosts are {names}")
    return host


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
