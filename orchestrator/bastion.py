"""Who we are, for locks and state files, and what we were given that nobody else is to see.

Names are texts of one printable line each, whatever this machine is like.
"""

import getpass
import os
import re
import socket
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from orchestrator.text import escaped

MACHINE_ID = Path("/etc/machine-id")
ETCD_USER = "ETCDCTL_USER"  # etcdctl's own name for USER:PASSWORD
_LIMIT = 256
_given: dict[str, str] = {}
GIVEN: Mapping[str, str] = _given
"""What ``take_secrets`` has taken out of our environment."""


def take_secrets(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take secrets out of our environment, for every program that we start would inherit it."""
    if ETCD_USER in environment:
        _given[ETCD_USER] = environment.pop(ETCD_USER)


def user_name() -> str:
    """Return the user's name, or ``uid NUMBER`` for a user who has none, as in many containers."""
    try:
        return _line(getpass.getuser()) or _uid()
    except (KeyError, OSError, ImportError):
        return _uid()


def host_name() -> str:
    """Return this machine's name."""
    try:
        return _line(socket.gethostname()) or "unknown"
    except OSError:
        return "unknown"


def machine_id() -> str:
    """Name this machine, beside its host name, which others may have too; nothing if it has no such name."""
    try:
        text = MACHINE_ID.read_bytes()[:64] if MACHINE_ID.is_file() else b""
    except OSError:
        return ""
    found = re.fullmatch(rb"\s*([0-9a-f]{32})\s*", text)
    return found[1].decode() if found else ""


def _uid() -> str:
    return f"uid {os.getuid()}"


def _line(text: str) -> str:
    return escaped(text.strip(), keep="")[:_LIMIT]
