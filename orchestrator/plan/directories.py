"""Directories on the hosts that cannot hold a cluster's certificates, and why."""

from collections.abc import Mapping
from types import MappingProxyType

from orchestrator.host import places
from orchestrator.text import shown

_WIPED = "is emptied when a host boots, and etcd would not start again"
_KERNEL = "is the kernel's own and holds no files"
_OPEN = "is where every user of a host may write, and what lies there is cleaned up"
_OURS = "is the orchestrator's own, and is removed with what it keeps there"
_SYSTEM = "belongs to the system, and not to the certificates of one cluster"
_STORE = "is the host's own trust store, and what lies there is trusted by all of its programs"

# with all that lies below; /var/run and /var/lock are links to /run (hier(7), file-hierarchy(7))
_BELOW: Mapping[str, str] = MappingProxyType({
    "/run":                             _WIPED,
    "/var/run":                         _WIPED,
    "/var/lock":                        _WIPED,
    "/dev":                             _WIPED,
    "/proc":                            _KERNEL,
    "/sys":                             _KERNEL,
    "/tmp":                             _OPEN,  # noqa: S108 it is named to be refused
    "/var/tmp":                         _OPEN,  # noqa: S108 same
    places.KEPT:                        _OURS,
    "/boot":                            _SYSTEM,
    "/etc/cron.d":                      _SYSTEM,
    "/etc/pam.d":                       _SYSTEM,
    "/etc/ssh":                         _SYSTEM,
    "/etc/sudoers.d":                   _SYSTEM,
    "/etc/systemd":                     _SYSTEM,
    "/lib/systemd":                     _SYSTEM,
    "/usr/lib/systemd":                 _SYSTEM,
    "/usr/local/lib/systemd":           _SYSTEM,
    "/etc/ca-certificates":             _STORE,
    "/etc/pki/ca-trust":                _STORE,
    "/etc/ssl/certs":                   _STORE,
    "/usr/local/share/ca-certificates": _STORE,
    "/usr/share/ca-certificates":       _STORE,
    "/usr/share/pki/ca-trust-source":   _STORE,
})  # fmt: skip
# themselves: a directory of its own below is as good as any other
_ITSELF = frozenset({
    "/bin", "/etc", "/etc/pki", "/etc/ssl", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/media",
    "/mnt", "/opt", "/root", "/sbin", "/srv", "/usr", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/local",
    "/usr/local/bin", "/usr/local/etc", "/usr/local/lib", "/usr/local/sbin", "/usr/local/share",
    "/usr/sbin", "/usr/share", "/var", "/var/cache", "/var/lib", "/var/lib/private", "/var/log", "/var/opt",
    "/var/spool",
})  # fmt: skip


def usable(directory: str) -> str:
    """Return a directory that a cluster's certificates may lie in; ValueError says what is in the way."""
    why = _SYSTEM if directory in _ITSELF else None
    for above, reason in _BELOW.items():
        if f"{directory}/".startswith(f"{above}/"):
            why = reason
    if directory.startswith(f"{places.KEPT}-"):
        why = _OURS
    if why:
        raise ValueError(
            f"{shown(directory)} {why}: write a directory of its own that stays, such as /etc/etcd/tls"
        )
    return directory
