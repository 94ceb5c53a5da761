"""One SSH server: where it is, who it has to be, and what we log in with, as OpenSSH is configured."""

import hashlib
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import LoginRefusedError
from orchestrator.plan.kinds import Become
from orchestrator.remote import ssh_config
from orchestrator.remote.ssh_config import Settings

_DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ed25519")
_OWN_KNOWN_HOSTS = "~/.ssh/known_hosts"
_SYSTEM_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts"
_NO_FILE = {"none", "/dev/null"}


@dataclass(frozen=True, slots=True)
class Login:
    """One SSH server: where it is, who it has to be, and what we log in with.

    ``name`` is what the plan, or a ProxyJump, calls it; ``known_as`` is its name in ``known_hosts``, whose
    first file is ours to write. ``are_named`` says that somebody has chosen the identity files, ``is_alone``
    that no other key may be offered, ``is_behind`` that it is reached by way of a jump host. ``agent`` is the
    path of the agent's socket, empty for none.
    """

    name: str
    host: str
    port: int
    user: str
    known_as: str
    known_hosts: tuple[Path, ...]
    host_key: str | None = None
    identity_files: tuple[Path, ...] = ()
    certificate_files: tuple[Path, ...] = ()
    are_named: bool = False
    is_alone: bool = False
    agent: str = ""
    proxy_command: str = ""
    become: Become = "none"
    is_behind: bool = False

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self.host}:{self.port}"

    @property
    def where(self) -> str:
        """Who we are, and where."""
        return f"{self.user}@{self.address}"


def login_of(host: str, name: str, found: Settings, user: str, port: int | None) -> Login:
    """Return a login by OpenSSH's configuration, or by its defaults; ``user`` and ``port`` beat them."""
    address = one(found, "hostname") or name
    try:
        port = port or int(one(found, "port") or 22)
    except ValueError as error:
        raise LoginRefusedError(host, f"Port in OpenSSH's configuration is no number: {error}") from error
    user = user or one(found, "user")
    alias = one(found, "hostkeyalias")
    tokens = _tokens(name, address, port, user, alias)
    files = [_path(text, tokens) for text in found.get("identityfile", ())]
    defaults = [Path("~/.ssh", each).expanduser() for each in _DEFAULT_KEYS]
    own = [path for path in files if path not in _stock()]
    return Login(
        name=name,
        host=address,
        port=port,
        user=user,
        known_as=(alias or (address if port == 22 else f"[{address}]:{port}")).lower(),
        known_hosts=_known_hosts(found, tokens),
        identity_files=tuple(own or [path for path in defaults if path.exists()]),
        certificate_files=tuple(_path(text, tokens) for text in found.get("certificatefile", ())),
        are_named=bool(own),
        is_alone=one(found, "identitiesonly") == "yes",
        agent=_agent(one(found, "identityagent"), tokens),
        proxy_command=_expanded(_command(found), tokens),
    )


def one(found: Settings, option: str) -> str:
    """Return an option's first value, or nothing."""
    return next(iter(found.get(option, ())), "")


def _command(found: Settings) -> str:
    command = one(found, "proxycommand")
    return "" if command == "none" else command


def _stock() -> set[Path]:
    """Return the identity files that OpenSSH tries where none is named."""
    kinds = ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa")
    return {Path("~/.ssh", f"id_{kind}").expanduser() for kind in kinds}


def _known_hosts(found: Settings, tokens: Mapping[str, str]) -> tuple[Path, ...]:
    ours = one(found, "userknownhostsfile").split() or [_OWN_KNOWN_HOSTS]
    theirs = one(found, "globalknownhostsfile").split() or [_SYSTEM_KNOWN_HOSTS]
    named = [_path(text, tokens) for text in (*ours, *theirs) if text not in _NO_FILE]
    own = [] if set(ours) - _NO_FILE else [Path(_OWN_KNOWN_HOSTS).expanduser()]
    return tuple(dict.fromkeys((*own, *named)))


def _agent(setting: str, tokens: Mapping[str, str]) -> str:
    if setting == "none":
        return ""
    if setting.startswith("$"):
        return os.environ.get(setting.removeprefix("$").strip("{}"), "")
    if setting and setting != "SSH_AUTH_SOCK":
        return str(_path(setting, tokens))
    return os.environ.get("SSH_AUTH_SOCK", "")


def _path(text: str, tokens: Mapping[str, str]) -> Path:
    return Path(_expanded(text.strip('"'), tokens)).expanduser()


def _tokens(name: str, address: str, port: int, user: str, alias: str) -> Mapping[str, str]:
    """Return what stands for ``%h`` and its like. Source: ssh_config(5), "TOKENS"."""
    us = socket.gethostname()
    digest = hashlib.sha1(f"{us}{address}{port}{user}".encode(), usedforsecurity=False).hexdigest()
    return {
        "%": "%",
        "C": digest,
        "d": str(Path("~").expanduser()),
        "h": address,
        "i": str(os.getuid()),
        "k": alias or name,
        "L": us.partition(".")[0],
        "l": us,
        "n": name,
        "p": str(port),
        "r": user,
        "u": ssh_config.local_user(),
    }


def _expanded(text: str, tokens: Mapping[str, str]) -> str:
    return re.sub("%(.)", lambda match: tokens.get(match[1], match[0]), text)
