"""Jump hosts as a plan and OpenSSH spell them: ``[user@]host[:port]``, several with a comma between."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from orchestrator.plan.spelling import ssh_host, user
from orchestrator.text import bracketed, shown

NONE = "none"
_JUMP = re.compile(
    r"(?:ssh://)?(?:(?P<user>.+)@)?(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>\d{1,5}))?/?"
)


@dataclass(frozen=True, slots=True)
class Jump:
    """One jump host; what is None is left to OpenSSH's configuration."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        login = f"{self.user}@" if self.user else ""
        return f"{login}{bracketed(self.host)}" + (f":{self.port}" if self.port else "")


def jumps(text: str) -> tuple[Jump, ...]:
    """Return the jump hosts, the first to dial first; none for ``none``. ValueError with the fix."""
    return () if text.lower() == NONE else tuple(_jump(part.strip()) for part in text.split(","))


def spelled(text: str) -> str:
    """Return a text that names jump hosts."""
    return text if jumps(text) or text == NONE else NONE


def _jump(text: str) -> Jump:
    match = _JUMP.fullmatch(text)
    port = int(match["port"]) if match and match["port"] else None
    if not match or port == 0 or (port or 0) > 65535:
        raise ValueError(f"{shown(text)} is not a jump host: write it as [user@]host[:port], or 'none'")
    if match["v6"]:
        try:
            host = str(ip_address(match["v6"]))
        except ValueError as cause:
            raise ValueError(f"{shown(match['v6'])} is not an IPv6 address: brackets hold one") from cause
    else:
        host = ssh_host(match["host"])
    return Jump(host, user(match["user"]) if match["user"] else None, port)
