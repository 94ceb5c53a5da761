"""Who we are, for locks and state files: texts of one printable line each, whatever this machine is like."""

import getpass
import os
import re
import socket
from pathlib import Path

from orchestrator.text import escaped

MACHINE_ID = Path("/etc/machine-id")
_LIMIT = 256


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
