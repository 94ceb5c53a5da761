"""How each kind of value in a plan is spelt: a function for each, whose ValueError holds the fix."""

import re
import shlex
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from pydantic import BaseModel

from orchestrator.text import shown

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_ALIAS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_UNIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9:_.@-]*")
_UNIT_SUFFIX = re.compile(
    r"\.(socket|device|mount|automount|swap|target|path|timer|slice|scope|conf|yaml|yml)$"
)
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m)", re.ASCII)
_IN_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_DAY_S = 86_400.0


def name(text: str) -> str:
    """Return a cluster's or member's name, safe in file names and in a shell."""
    if not _NAME.fullmatch(text) or len(text) > 63:
        raise ValueError(
            f"{shown(text)} is not a usable name: write at most 63 letters, digits, '.', '_' or '-', "
            "the first a letter or digit"
        )
    return text


def address(text: str) -> str:
    """Return an IPv4 or IPv6 address or a DNS name, without scheme, port or brackets."""
    try:
        ip = ip_address(text)
    except ValueError:
        return _dns_name(text)
    if ip.is_unspecified or ip.is_multicast or "%" in text:
        raise ValueError(
            f"{shown(text)} is not an address that other hosts can dial: write the host's own one"
        )
    return text


def _dns_name(text: str) -> str:
    """Return a DNS name whose last label is not a number, so that no misspelt IPv4 address passes."""
    if "/" in text or "[" in text or re.fullmatch(r"[^:]*:\d*", text):
        raise ValueError(
            f"{shown(text)} is more than an address: write only the IP address or DNS name, "
            "without scheme, port or brackets"
        )
    labels = text.removesuffix(".").split(".")
    if len(text) > 253 or labels[-1].isdecimal() or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(
            f"{shown(text)} is neither an IP address nor a DNS name: write one, such as 198.18.0.101 or "
            "server1.example.com"
        )
    return text


def ssh_host(text: str) -> str:
    """Return an address, or a name that OpenSSH's configuration gives a host (``Host web_1``)."""
    return text if _ALIAS.fullmatch(text) and re.search(r"[A-Za-z_]", text) else address(text)


def host_key(text: str) -> str:
    """Return a key's fingerprint as OpenSSH prints it."""
    if not _FINGERPRINT.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a fingerprint: write SHA256: and 43 characters, as the host prints it: "
            "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
        )
    return text


def user(text: str) -> str:
    """Return a login name."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._@\\-]*", text):
        raise ValueError(f"{shown(text)} is not a login name: write the user to log in as, such as root")
    return text


def etcd_user(text: str) -> str:
    """Return the name of a user of etcd's own, which a colon parts from the password."""
    if not text.isprintable() or not text or ":" in text or text != text.strip():
        raise ValueError(f"{shown(text)} is not a user of etcd: write its name, without ':', such as root")
    return text


def service(text: str) -> str:
    """Return the name of a systemd service, without ``.service``. Source: systemd.unit(5)."""
    if text.endswith(".service"):
        raise ValueError(
            f"leave the suffix '.service' off: write {shown(text.removesuffix('.service'), quote='')}"
        )
    if not _UNIT.fullmatch(text) or _UNIT_SUFFIX.search(text) or len(text) > 200:
        raise ValueError(f"{shown(text)} is not the name of a systemd service: write one, such as etcd")
    if text.startswith("orchestrator-"):
        raise ValueError(
            f"{shown(text)} is named as the orchestrator's own units are: give etcd another unit"
        )
    if text.endswith("@"):
        raise ValueError(f"{shown(text)} is a template unit: name its instance, such as {text}server1")
    return text


def directory(text: str) -> str:
    """Return a directory on the hosts, safe inside a systemd unit and a shell script."""
    strange = re.search(r"[^A-Za-z0-9/._+@-]", text)
    if strange:
        raise ValueError(
            f"{shown(strange.group())} cannot stand here, for the directory lands in systemd files: "
            "write only letters, digits, '/', '.', '_', '+', '@' and '-'"
        )
    if not text.startswith("/"):
        raise ValueError(f"{shown(text)} is not absolute: begin with '/', such as /etc/etcd/tls")
    parts = PurePosixPath(text).parts
    if ".." in parts or str(PurePosixPath(text)) != text or text.startswith("//") or len(parts) < 2:
        raise ValueError(
            f"{shown(text)} is not a plain directory: write it without '..', '.', doubled or trailing '/', "
            "such as /etc/etcd/tls"
        )
    return text


def client_file(text: str) -> str:
    """Return the path of a client's file on the hosts, safe in what is printed and in a shell script."""
    parts = PurePosixPath(text).parts
    if not text.startswith("/") or len(parts) < 3 or not text.isprintable() or len(text) > 4096:
        raise ValueError(
            f"{shown(text)} is not the path of a file: write the whole path, such as /etc/patroni/config.yml"
        )
    if ".." in parts or str(PurePosixPath(text)) != text or text.startswith("//"):
        raise ValueError(
            f"{shown(text)} is not a plain path: write it without '..', '.', doubled or trailing '/'"
        )
    return text


def command(text: str) -> str:
    """Return a shell command on one line."""
    if not text.strip() or not text.isprintable() or len(text) > 4096:
        raise ValueError(f"{shown(text)} is not a command: write one for the shell, on one line")
    return text


def path(text: str) -> str:
    """Return a path of a file on the bastion: absolute, below ``~/``, or relative to the plan's folder."""
    braces = re.search(r"\{[^{}]*\}|[{}]", text)
    if braces:
        raise ValueError(
            f"{shown(braces.group())} has no meaning here: only certificate and key take {{name}}"
        )
    return _path(text)


def metrics_file(text: str) -> str:
    """Return the path of a file that node_exporter's textfile collector reads."""
    if not path(text).endswith(".prom"):
        raise ValueError(
            f"{shown(text)} would not be read: node_exporter reads only files whose names end with .prom"
        )
    return text


def words(text: str) -> tuple[str, ...]:
    """Return a program and its arguments, as a shell would split them; no shell ever sees them."""
    try:
        found = shlex.split(command(text))
    except ValueError as cause:
        raise ValueError(f"{shown(text)} is not a command: {str(cause).lower()}") from cause
    if not found or not found[0]:
        raise ValueError("names no program: write one, such as ./page.sh")
    return tuple(found)


def webhook(text: str) -> str:
    """Return a URL to which events may be posted: nobody else can read them on their way.

    No fault shows it: what follows the host is a secret with many services.
    """
    url = urlsplit(text)  # a ValueError of its own says what is wrong
    if url.scheme not in {"https", "http"} or not url.hostname or not re.fullmatch(r"[!-~]{1,2048}", text):
        raise ValueError("this is not the URL of a webhook: write it whole, with https://")
    if url.username is not None or url.password is not None or url.fragment:
        raise ValueError(
            "a webhook's URL holds no user, password or '#': let a hook send what needs a secret"
        )
    if url.scheme == "http" and url.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ValueError("events would be readable on their way: write https://, or http on loopback")
    _ = url.port  # out of range is a ValueError
    return text


def template(text: str) -> str:
    """Return a path in which ``{name}``, the only placeholder, stands for the member's name."""
    braces = re.search(r"\{[^{}]*\}|[{}]", text.replace("{name}", ""))
    if braces:
        raise ValueError(f"unknown placeholder {shown(braces.group())}: the only one is {{name}}")
    return _path(text)


def _path(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError(f"{shown(text)} is not a path: write the path of a file")
    if text.startswith("~") and not text.startswith("~/"):
        raise ValueError(f"{shown(text)} is not understood: write '~/' for your own home, or the whole path")
    return text


def duration(value: object) -> object:
    """Return a duration as it was written, ``90s``, ``500ms``, ``2m`` or ``1.5s``; the rest is not ours."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if _DURATION.fullmatch(f"{value}s") and 0 < value <= _DAY_S:
            raise ValueError(f"{value} has no unit: write {value}s (units: ms, s, m)")
        raise ValueError(f"{value} is not a duration: write one such as 90s, 500ms, 2m or 1.5s")  # noqa: TRY004 a TypeError would escape pydantic
    if not isinstance(value, str):
        return value
    if not _DURATION.fullmatch(value):
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
            raise ValueError(f"{shown(value)} has no unit: write {value}s (units: ms, s, m)")
        raise ValueError(f"{shown(value)} is not a duration: write one such as 90s, 500ms, 2m or 1.5s")
    if not 0 < seconds(value) <= _DAY_S:
        raise ValueError(f"{shown(value)} is out of range: write more than 0s and at most 1440m")
    return value


def seconds(text: str) -> float:
    """Return the seconds in a duration that ``duration`` let pass."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{shown(text)} is not a duration")
    return float(match[1]) * _IN_SECONDS[match[2]]


def units_alone(value: object) -> object:
    """Return ``watch`` with its fields' names, if it was written as a list of units alone."""
    if isinstance(value, tuple | list):
        return {"units": tuple(value)}
    if isinstance(value, Mapping | BaseModel):
        return value
    raise ValueError(
        f"expected a list of units or a mapping of fields, found {shown(str(value))}: "
        "write it such as '[fleet, flanneld]'"
    )


def local_port(value: object) -> object:
    """Return ``ports.local`` as it was written: a port, or what is to be one."""
    is_port = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535
    if not is_port and value not in ("auto", "none"):
        raise ValueError(
            f"expected a number from 1 to 65535, none or auto, found {shown(str(value))}: write it such as "
            "4001"
        )
    return value


def or_auto(value: object) -> object:
    """Return what was written: yes, no, or that it depends on what is found."""
    if not isinstance(value, bool) and value != "auto":
        raise ValueError(f"expected true, false or auto, found {shown(str(value))}: write it such as true")
    return value


def checks_peers(value: bool) -> bool:  # noqa: FBT001 pydantic calls it with the value alone
    """Return true; peers without authentication are refused."""
    if not value:
        raise ValueError(
            "false is not possible: members need the CA file to check each other, and the CA file alone "
            "makes etcd ask every peer for a certificate; remove the line or write true"
        )
    return value
