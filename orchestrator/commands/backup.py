"""``backup``: the cluster's data, saved and verified on one member's host."""

import secrets
from datetime import UTC, datetime

from orchestrator import places
from orchestrator.errors import RefusedError
from orchestrator.etcd import saving
from orchestrator.operations import Deed
from orchestrator.session import Session

_RESTORE = {
    "v3": "etcdctl snapshot restore {path} --data-dir NEW (etcdutl from 3.6 on)",
    "v2": "etcd --data-dir {path} --force-new-cluster, then add the other members",
}


def save(session: Session) -> str:
    """Save on the plan's first member; returns what to tell. RefusedError if it fails."""
    facts = session.gather()
    subject = saving.holder(session.cluster, facts)
    suffix = ".db" if facts.api == "v3" else ""
    path = f"{places.KEPT}/{facts.cluster_id}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{suffix}"
    deed = Deed(
        id=f"backup-{secrets.token_hex(4)}",
        host=subject.name,
        operations=tuple(saving.data(subject, path)),
        deadline_s=saving.DEADLINE_S,
    )
    session.moment.change(f"{subject.name} goes on saving to {path}, and nothing else was changed")
    receipt = session.hosts.perform(deed)
    if receipt.exit_status != 0:
        raise RefusedError(f"{subject.name}: the data was not saved: {receipt.output.strip()[-500:]}")
    told = receipt.output.strip()
    restore = _RESTORE[facts.api].format(path=path)
    return f"{subject.name}: saved and verified in {path}\n{told}\nRestore with: {restore}"
