"""The user as whom etcd is asked where its authentication is on, and how it gets to etcdctl unseen."""

import os
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path

from orchestrator.bastion import ETCD_USER, GIVEN
from orchestrator.errors import RefusedError
from orchestrator.host.operations import Secret
from orchestrator.plan.model import Cluster
from orchestrator.text import shown

_MAX_BYTES = 1024
_OTHERS = 0o077

# etcdctl takes user and password together from this variable. It comes in on stdin, for what stands on a
# command line, even that of env, every user of the host can read; where nothing comes, nothing is set.
READ = "if IFS= read -r ETCDCTL_USER; then export ETCDCTL_USER; else unset ETCDCTL_USER; fi"
VARIABLE = ETCD_USER


def user(cluster: Cluster, environment: Mapping[str, str] = GIVEN) -> str:
    """Return the user as whom etcd is asked; empty if neither the plan nor our environment names one."""
    return cluster.auth.user if cluster.auth else environment.get(VARIABLE, "").partition(":")[0]


def typed(cluster: Cluster) -> str:
    """Return what stands before a command that a person types, with PASSWORD for the password."""
    named = user(cluster)
    return f"{VARIABLE}={shlex.quote(named)}:PASSWORD " if named else ""


def of(cluster: Cluster, environment: Mapping[str, str] = GIVEN) -> Secret | None:
    """Return user and password as etcdctl takes them, None if nobody names a user; RefusedError.

    The plan names one, or ``ETCDCTL_USER`` in our own environment does, as for etcdctl itself.
    """
    if cluster.auth is not None:
        return Secret(f"{cluster.auth.user}:{_password(cluster.auth.password_file)}")
    given = environment.get(VARIABLE, "")
    if not given:
        return None
    named, _, password = given.partition(":")
    if not named or not password or not given.isprintable():
        raise RefusedError(
            f"{VARIABLE} in the environment has to be USER:PASSWORD; unset it if etcd wants no login"
        )
    return Secret(given)


def _password(file: Path) -> str:
    name = shown(str(file), quote="", limit=4096)
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            content = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise RefusedError(f"auth.password_file {name}: {error.strerror}") from error
    if mode & _OTHERS:
        raise RefusedError(f"auth.password_file {name} can be read by others (mode {mode:o}): chmod 600 it")
    try:
        password = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise RefusedError(f"auth.password_file {name} is not UTF-8 text") from error
    if not password or len(content) > _MAX_BYTES or not password.isprintable():
        raise RefusedError(f"auth.password_file {name} has to hold one line: the password")
    return password
