"""Drop-ins of a systemd unit: where they lie, what stands in them, and commands that an operator may run."""

import shlex
from collections.abc import Iterable, Mapping

from orchestrator.etcd import stages
from orchestrator.etcd.install import systemd_env
from orchestrator.etcd.settings import Settings
from orchestrator.plan.model import EtcdHost

# Read after the 20-*.conf of cloud-config, and before the first of ours (25-insecure_localhost.conf).
BEFORE_OURS = "24-advertise.conf"

# The guide's names: systemd reads drop-ins in the order of their names, and the last one wins.
NAMES: Mapping[str, str] = {
    stages.LOCAL_PORT.name: "25-insecure_localhost",
    stages.CERTIFICATES.name: "30-certs",
    stages.OVERLAP.name: "35-overlap",
    stages.HTTPS.name: "40-tls",
    stages.CLOSED.name: "50-closed",
    stages.RELAYING.name: "30-certs",
}


def directory(host: EtcdHost) -> str:
    """Where the drop-ins of a host's unit lie."""
    return f"/etc/systemd/system/{host.service}.service.d"


def text(lines: Iterable[str]) -> str:
    """Text of a drop-in with these lines for the service."""
    return "\n".join(("[Service]", *lines, ""))


def setting(settings: Settings) -> str:
    """Text of a drop-in that sets these variables."""
    return text(systemd_env.lines(settings))


def escaped(path: str) -> str:
    """Write a path so that systemd expands nothing in it."""
    return path.replace("%", "%%")


def command(host: EtcdHost, name: str, lines: Iterable[str]) -> str:
    """Return the command, for a shell on the host, that writes a drop-in; it restarts nothing."""
    folder = directory(host)
    words = shlex.join(lines)
    return f"mkdir -p {folder} && printf '%s\\n' {words} > {folder}/{name} && systemctl daemon-reload"
