"""``backup``: the cluster's data, saved and verified on one member's host."""

import secrets
from datetime import UTC, datetime

from orchestrator.commands.recall import read_facts
from orchestrator.errors import RefusedError
from orchestrator.etcd import restoring, saving
from orchestrator.host import names, places
from orchestrator.host.operations import Deed
from orchestrator.session import Session


def save(session: Session) -> str:
    """Save on the plan's first member; returns what to tell. RefusedError if it fails."""
    facts = read_facts(session)
    subject = saving.holder(session.cluster, facts)
    suffix = ".db" if facts.api == "v3" else ""
    name = f"{facts.cluster_id}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    path = f"{places.KEPT}/{name}{suffix}"
    deed = Deed(
        id=names.of_backup(secrets.token_hex(4)),
        host=subject.name,
        operations=tuple(saving.data(subject, path)),
        deadline_s=saving.DEADLINE_S,
    )
    session.moment.change(f"{subject.name} goes on saving to {path}, and nothing else was changed")
    receipt = session.hosts.perform(deed)
    if receipt.exit_status != 0:
        raise RefusedError(f"{subject.name}: the data was not saved: {receipt.output.strip()[-500:]}")
    told = receipt.output.strip()
    restore = "\n".join(restoring.commands(subject, name, path))
    return f"{subject.name}: saved and verified in {path}\n{told}\n\nHow to put it back:\n{restore}"
