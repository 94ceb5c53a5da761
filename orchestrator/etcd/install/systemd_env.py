"""Settings as Environment= lines of a unit. Quoting: systemd.syntax(7), systemd.unit(5). Pure."""

import re

from orchestrator.etcd.settings import Settings
from orchestrator.text import one_line, shown

_VARIABLE = re.compile(r"ETCD_[A-Z0-9_]+")


def lines(settings: Settings) -> tuple[str, ...]:
    """Lines of a unit that set these variables.

    Raises ValueError for what cannot be written there: a line break would end the value and begin a line of
    its own, which systemd carries out as root.
    """
    return tuple(f'Environment="{name}={_quoted(name, value)}"' for name, value in settings.items())


def _quoted(name: str, value: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{shown(name)} is not the name of a variable of etcd")
    plain = one_line(value, name)
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
