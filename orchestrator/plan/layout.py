"""What etcd's hosts were found with, as plain values: enough to boot hosts that start etcd the same way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.host.operations import Secret


@dataclass(frozen=True, slots=True)
class Placed:
    """A text file where it lies, without its secret values."""

    path: str
    text: str = field(repr=False)
    mode: int
    owner: str
    group: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory that etcd or its unit needs; without what is in it."""

    path: str
    mode: int
    owner: str
    group: str


@dataclass(frozen=True, slots=True)
class Program:
    """A program where it lies; ``sha256`` is that of its content, in hex."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Account:
    """The user and the group that etcd runs as."""

    user: str
    group: str


@dataclass(frozen=True, slots=True)
class HostLayout:
    """One host: how its etcd is started there.

    ``unit`` is the unit's own name, e.g. etcd.service, and ``aliases`` are its others; ``fragment`` is the
    path of its file. ``needs`` are programs of others that the unit starts. ``links`` are symbolic links on
    the way to programs, with what they lead to. ``addresses`` are its IP addresses, as far as URLs name them.
    """

    unit: str
    aliases: tuple[str, ...]
    fragment: str
    files: tuple[Placed, ...]
    folders: tuple[Folder, ...]
    programs: tuple[Program, ...]
    links: Mapping[str, str]
    needs: tuple[str, ...]
    account: Account
    addresses: tuple[str, ...]
    etcd: str
    data: str
    wal: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """A member as its cluster has registered it: its name there, and its peer URLs."""

    name: str
    peer_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of a cluster's data: ``file`` is the one that ``member`` gave.

    ``hash`` is that of its keys up to a ``revision`` that it had just before, from what was ``compacted`` on;
    None if it gave none.
    ``login`` is USER:PASSWORD of somebody whom etcd knows then, if anybody has to log in.
    """

    file: Path
    size_bytes: int
    member: str
    revision: int
    hash: int | None
    compacted: int
    login: Secret | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """All hosts of a plan, by their names in it.

    ``members`` are those of the registry, ``token`` is what their cluster was begun with. ``names`` are DNS
    names with the addresses that they have for the hosts. ``store`` holds the programs, each in a file with
    the name of its digest. Without ``snapshot`` the members have no data.
    """

    hosts: Mapping[str, HostLayout]
    members: Mapping[str, Registration]
    token: str
    names: Mapping[str, str]
    store: Path
    snapshot: Snapshot | None = None

    @property
    def addresses(self) -> Mapping[str, tuple[str, ...]]:
        """Every host's addresses."""
        return {name: host.addresses for name, host in self.hosts.items()}
