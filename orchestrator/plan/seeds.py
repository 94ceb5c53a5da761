"""Hosts before there is a plan: whom an operator names, on a command line or in an Ansible inventory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from orchestrator.plan import spelling
from orchestrator.text import shown


@dataclass(frozen=True, slots=True)
class Seed:
    """A host to begin with: what to connect to, and what was said of the way there; None: nothing was.

    ``name`` is what its inventory calls it.
    """

    host: str
    name: str = ""
    user: str | None = None
    port: int | None = None
    become: Literal["none", "sudo", "doas"] | None = None
    identity_file: str | None = None
    jump: str | None = None

    @property
    def way(self) -> Mapping[str, str | int]:
        """What was said of the way there, by the names that it has in a plan's ``ssh``."""
        given = {name: getattr(self, name) for name in ("user", "port", "become", "identity_file", "jump")}
        return {name: value for name, value in given.items() if value is not None}


def seed(text: str) -> Seed:
    """Read ``[USER@]HOST[:PORT]``, or the URL of one of etcd's endpoints; ValueError says what is wrong.

    The port of an endpoint is etcd's and not SSH's.
    """
    if "://" in text:
        try:
            host = urlsplit(text).hostname or ""
        except ValueError:
            host = ""
        return Seed(spelling.ssh_host(host))
    user, is_given, place = text.rpartition("@")
    host, port = _parted(place)
    return Seed(
        spelling.ssh_host(host),
        user=spelling.user(user) if is_given else None,
        port=number(port) if port else None,
    )


def _parted(place: str) -> tuple[str, str]:
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        return host, rest.removeprefix(":")
    if place.count(":") == 1:
        host, _, port = place.partition(":")
        return host, port
    return place, ""  # an IPv6 address without brackets has no port


def number(text: str) -> int:
    """Return a TCP port."""
    if text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535:
        return int(text)
    raise ValueError(f"{shown(text)} is no TCP port: write a number from 1 to 65535")
