"""The cluster as its plan describes it, with every default and override resolved."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65535)]


class Frozen(BaseModel):
    """A value that cannot change and takes no field that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ssh(Frozen):
    """How one host is reached. ``host`` is what we connect to; ``known_hosts`` holds its key."""

    host: str
    port: Port
    user: str
    identity_file: Path | None
    known_hosts: Path
    become: Literal["none", "sudo"]


class Host(Frozen):
    """A host with a role. ``certificate`` and ``key`` are files on the bastion."""

    name: str
    address: str
    service: str
    ssh: Ssh
    certificate: Path
    key: Path


class Member(Host):
    """One etcd member."""


class Proxy(Host):
    """One etcd v2 proxy: it serves clients on its own host, and speaks to the members for them."""


class Tls(Frozen):
    """Certificates. Paths are the bastion's, but ``directory`` is the hosts' own.

    ``trust`` says whether the CA goes into the hosts' trust store too, or stays a file.
    """

    ca: Path
    client_certificate: Path
    client_key: Path
    directory: str
    client_cert_auth: bool
    peer_cert_auth: bool
    trust: Literal["system", "files"] = "system"


class Ports(Frozen):
    """TCP ports: etcd's client and peer port, the unencrypted one on loopback, and the trial's."""

    client: Port = 2379
    peer: Port = 2380
    local: Port = 4001
    trial: Port = 12380


class Patience(Frozen):
    """How long a gate may take to hold, and the pause between two looks, in seconds."""

    gate_s: float = 90.0
    pause_s: float = 0.5

    def after(self, spent_s: float) -> "Patience":
        """Return what is left of it; one that is used up still allows one look."""
        return self.model_copy(update={"gate_s": max(0.0, self.gate_s - spent_s)})


class Watch(Frozen):
    """Local clients of the members: systemd units whose journals have to stay quiet for ``quiet_s`` seconds.

    ``errors`` is a regular expression; a line that it finds is an error.
    """

    units: tuple[str, ...] = ()
    quiet_s: float = 10.0
    errors: str = r"(?i)\b(error|failed|fatal|panic|refused|timed? ?out|unreachable)\b"


class Cluster(Frozen):
    """The cluster that a plan describes. Names of hosts are unique, and so are their addresses."""

    name: str
    strategy: str
    members: tuple[Member, ...]
    tls: Tls
    ports: Ports
    patience: Patience
    proxies: tuple[Proxy, ...] = ()
    watch: Watch = Watch()
    api: Literal["auto", "v2", "v3"] = "auto"

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Every host: members, then proxies, in the plan's order."""
        return (*self.members, *self.proxies)

    def host(self, name: str) -> Host:
        """Return the host of that name."""
        return next(host for host in self.hosts if host.name == name)

    def member(self, name: str) -> Member:
        """Return the member of that name."""
        return next(member for member in self.members if member.name == name)

    def others(self, name: str) -> tuple[Member, ...]:
        """Return every member but the one of that name, in the plan's order."""
        return tuple(member for member in self.members if member.name != name)
