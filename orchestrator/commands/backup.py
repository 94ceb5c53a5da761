"""``backup``: the cluster's data, saved and verified on one member's host."""

import secrets
from datetime import UTC, datetime

from orchestrator.cluster.facts import Subject
from orchestrator.errors import RefusedError
from orchestrator.etcd import api, settings
from orchestrator.operations import Deed, MakeDirectory
from orchestrator.session import Session

DIRECTORY = "/var/lib/orchestrator"  # on the host; the data of a cluster does not travel
DEADLINE_S = 120.0

_RESTORE = {
    "v3": "etcdctl snapshot restore {path} --data-dir NEW (etcdutl from 3.6 on)",
    "v2": "etcd --data-dir {path} --force-new-cluster, then add the other members",
}


def save(session: Session) -> str:
    """Save on the plan's first member; returns what to tell. RefusedError if it fails."""
    facts = session.gather()
    subject = Subject(session.cluster, facts, session.cluster.members[0])
    suffix = ".db" if facts.api == "v3" else ""
    path = f"{DIRECTORY}/{facts.cluster_id}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{suffix}"
    deed = Deed(
        id=f"backup-{secrets.token_hex(4)}",
        host=subject.name,
        operations=(
            MakeDirectory(DIRECTORY, 0o700),
            *api.of(subject).backup(subject, path, _endpoint(subject)),
        ),
        deadline_s=DEADLINE_S,
    )
    receipt = session.hosts.perform(deed)
    if receipt.exit_status != 0:
        raise RefusedError(f"{subject.name}: the data was not saved: {receipt.output.strip()[-500:]}")
    told = receipt.output.strip()
    restore = _RESTORE[facts.api].format(path=path)
    return f"{subject.name}: saved and verified in {path}\n{told}\nRestore with: {restore}"


def _endpoint(subject: Subject) -> str:
    """The last http listener of the running member: the local one, once there is one."""
    urls = settings.current(subject.found.environment, settings.LISTEN_CLIENT)
    return settings.loopback([url for url in urls if url.startswith("http://")][-1])
