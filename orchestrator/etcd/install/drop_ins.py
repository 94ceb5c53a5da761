"""Drop-ins of a systemd unit: where they lie, what stands in them, and commands that an operator may run."""

import re
import shlex
from collections.abc import Iterable

from orchestrator.etcd.settings import Settings
from orchestrator.plan.model import Host
from orchestrator.text import one_line, shown

# Read after the 20-*.conf of cloud-config, and before the first of ours (25-insecure_localhost.conf).
BEFORE_OURS = "24-advertise.conf"

_VARIABLE = re.compile(r"ETCD_[A-Z0-9_]+")


def directory(host: Host) -> str:
    """Where the drop-ins of a host's unit lie."""
    return f"/etc/systemd/system/{host.service}.service.d"


def setting(settings: Settings) -> str:
    """Text of a drop-in that sets these variables. Quoting: systemd.syntax(7), systemd.unit(5).

    Raises ValueError for what cannot be written there: a line break would end the value and begin a line of
    its own, which systemd carries out as root.
    """
    lines = (f'Environment="{name}={_quoted(name, value)}"' for name, value in settings.items())
    return "\n".join(("[Service]", *lines, ""))


def _quoted(name: str, value: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{shown(name)} is not the name of a variable of etcd")
    plain = one_line(value, name)
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def command(host: Host, name: str, lines: Iterable[str]) -> str:
    """Return the command, for a shell on the host, that writes a drop-in; it restarts nothing."""
    folder = directory(host)
    text = shlex.join(lines)
    return f"mkdir -p {folder} && printf '%s\\n' {text} > {folder}/{name} && systemctl daemon-reload"
