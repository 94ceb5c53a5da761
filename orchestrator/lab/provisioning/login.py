"""Who has to log in to the lab's etcd, where the plan names a user or the restored data has some."""

import secrets

from orchestrator.lab.provisioning import credentials
from orchestrator.plan.layout import Snapshot
from orchestrator.plan.model import Cluster
from orchestrator.probe.login import Login


def given(snapshot: Snapshot | None) -> Login | None:
    """Return the login that the restored data needs, if it needs one."""
    if snapshot is None or snapshot.login is None:
        return None
    user, _, password = snapshot.login.reveal().partition(":")
    return Login(user, password)


def write(cluster: Cluster, known: Login | None) -> Login | None:
    """Write the password of the user whom the lab's plan names, if any; without a known one, make one up."""
    if cluster.auth is None:
        return None
    login = known or Login(cluster.auth.user, secrets.token_hex(16))
    credentials.write_private(cluster.auth.password_file, login.password.encode())
    return login


def of(cluster: Cluster) -> Login | None:
    """Return the login of the user whom the lab's plan names, if any."""
    return Login(cluster.auth.user, cluster.auth.password_file.read_text()) if cluster.auth else None
