"""``backup``: the cluster's data, saved and verified on one member's host."""

import secrets
from datetime import UTC, datetime

from orchestrator.commands.recall import read_facts
from orchestrator.errors import RefusedError
from orchestrator.etcd import restoring, saving
from orchestrator.host import names, places
from orchestrator.host.operations import Job
from orchestrator.session import Session


def save(session: Session) -> str:
    """Save on the plan's first member; returns what to tell. RefusedError if it fails."""
    facts = read_facts(session)
    target = saving.backup_target(session.cluster, facts)
    suffix = ".db" if facts.api == "v3" else ""
    name = f"{facts.cluster_id}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    path = f"{places.KEPT}/{name}{suffix}"
    job = Job(
        id=names.of_backup(secrets.token_hex(4)),
        host=target.name,
        operations=tuple(saving.data(target, path)),
        deadline_s=saving.DEADLINE_S,
    )
    session.moment.change(f"{target.name} goes on saving to {path}, and nothing else was changed")
    result = session.hosts.perform(job)
    if result.exit_status != 0:
        raise RefusedError(f"{target.name}: the data was not saved: {result.last_words}")
    reported = result.output.strip()
    restore = "\n".join(restoring.commands(target, name, path))
    return f"{target.name}: saved and verified in {path}\n{reported}\n\nHow to put it back:\n{restore}"
