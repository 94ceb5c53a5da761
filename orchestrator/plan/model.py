"""The cluster as its plan describes it: the plan's own fields, every default and override resolved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from orchestrator.plan import spelling
from orchestrator.plan.hosts import ClientHost, EtcdHost, Host, Member, Proxy, Ssh
from orchestrator.plan.kinds import (
    USUAL_LOCAL_PORT,
    Frozen,
    Name,
    OrAuto,
    Persist,
    Port,
    Section,
    Service,
    folder_of,
)
from orchestrator.plan.locations import location
from orchestrator.plan.notify import Notify
from orchestrator.plan.sections import (
    Auth,
    ClientFile,
    Clients,
    ClientUnit,
    Patience,
    Ports,
    Probe,
    SharedSsh,
    Tls,
    Watch,
)

__all__ = [
    "Auth", "ClientFile", "ClientHost", "ClientUnit", "Clients", "Cluster", "EtcdHost", "Frozen", "Host",
    "Member", "Notify", "Patience", "Port", "Ports", "Probe", "Proxy", "SharedSsh", "Ssh", "Tls", "Watch",
]  # fmt: skip

S = TypeVar("S", bound=Section)
E = TypeVar("E", bound=EtcdHost)


class Cluster(Section):
    """The whole plan."""

    name: Name = Field(alias="cluster", description="Your name for the cluster.", examples=["three-members"])
    members: tuple[Member, ...] = Field(
        description="Every member, at least one.", examples=["[{name: server1, address: 198.18.0.101}]"]
    )
    proxies: tuple[Proxy, ...] = Field(
        (), description="Every etcd v2 proxy.", examples=["[{name: proxy1, address: 198.18.0.111}]"]
    )
    tls: Tls = Field(description="Certificates.", examples=["{ca: pki/ca.pem, ...}"])
    auth: Auth | None = Field(
        None,
        description="Whom etcd is asked as, if its authentication is on.",
        examples=["{user: root, password_file: root.password}"],
    )
    service: Service = Field(
        "etcd", description="systemd unit of etcd, without `.service`.", examples=["etcd2"]
    )
    strategy: str = Field("bridge", description="Which migration to run.", examples=["bridge"])
    api: Literal["auto", "v2", "v3"] = Field(
        "auto",
        description="etcd's interface to work through; `auto` takes the one that the members' version has.",
        examples=["v2"],
    )
    persist: Persist = Field(
        "beside",
        description=(
            "Where the final settings stay: in files of ours beside yours (`beside`), or in your own files, "
            "edited in place once every member is sealed (`in_place`)."
        ),
        examples=["in_place"],
    )
    accept_downtime: bool = Field(
        default=False,
        description="Whether the cluster may be away while a member restarts; needed for one or two members.",
        examples=["true"],
    )
    compare_data: OrAuto = Field(
        "auto",
        description=(
            "Whether the members' keys are hashed and compared, before the first change and at the end. A "
            "member answers nobody meanwhile, and renews no lease: `auto` leaves it out where one holds half "
            "a gigabyte."
        ),
        examples=["true"],
    )
    ssh: SharedSsh = Field(
        {}, description="How the hosts are reached.", examples=["{user: root}"], validate_default=True
    )
    ports: Ports = Field({}, description="TCP ports.", examples=["{client: 2379}"], validate_default=True)
    patience: Patience = Field(
        {}, description="How long to wait.", examples=["{gate: 90s}"], validate_default=True
    )
    watch: Annotated[Watch, BeforeValidator(spelling.units_alone)] = Field(
        {},
        description="Local clients that have to stay quiet: a list of units, or the fields below.",
        examples=["[fleet, flanneld]"],
        validate_default=True,
    )

    probe: Probe = Field(
        {}, description="The budget of `run --probe`.", examples=["{stall: 2s}"], validate_default=True
    )
    clients: Clients = Field(
        {}, description="How clients come to https.", examples=["{overlap: true}"], validate_default=True
    )

    notify: Notify = Field(
        {},
        description="Who hears of a run's events.",
        examples=["{hook: ./page.sh}"],
        validate_default=True,
    )

    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> Self:
        """Give each host what it does not have of its own, so that no cluster has a host that lacks it."""
        folder = folder_of(info)
        for role, hosts in (("members", self.members), ("proxies", self.proxies)):
            object.__setattr__(self, role, tuple(self._completed(host, folder) for host in hosts))
        reached = tuple(host.model_copy(update={"ssh": self._reached(host)}) for host in self.clients.hosts)
        object.__setattr__(self, "clients", self.clients.model_copy(update={"hosts": reached}))
        return self

    def _completed(self, host: E, folder: Path) -> E:
        shared = {
            "service": self.service,
            "certificate": location(folder, self.tls.certificate.replace("{name}", host.name)),
            "key": location(folder, self.tls.key.replace("{name}", host.name)),
        }
        return _filled(host.model_copy(update={"ssh": self._reached(host)}), shared)

    def _reached(self, host: Host) -> Ssh:
        """Return how a host is reached; ``model_fields_set`` still tells what the plan says from defaults."""
        shared = {name: getattr(self.ssh, name) for name in SharedSsh.model_fields} | {"host": host.address}
        written = (host.ssh.model_fields_set | self.ssh.model_fields_set) & Ssh.model_fields.keys()
        return Ssh.model_construct(written, **dict(_filled(host.ssh, shared)))

    @property
    def local_port(self) -> int | None:
        """The unencrypted port on loopback that the plan wants on every host, or None."""
        if self.ports.local == "auto":
            return USUAL_LOCAL_PORT if self.watch.units else None
        return None if self.ports.local == "none" else self.ports.local

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Every host: those that run etcd, then clients' hosts, in the plan's order."""
        return (*self.etcd_hosts, *self.clients.hosts)

    @property
    def etcd_hosts(self) -> tuple[EtcdHost, ...]:
        """Every host that runs etcd: members, then proxies, in the plan's order."""
        return (*self.members, *self.proxies)

    def host(self, name: str) -> EtcdHost:
        """Return the member or proxy of that name."""
        return next(host for host in self.etcd_hosts if host.name == name)

    def member(self, name: str) -> Member:
        """Return the member of that name."""
        return next(member for member in self.members if member.name == name)

    def others(self, name: str) -> tuple[Member, ...]:
        """Return every member but the one of that name, in the plan's order."""
        return tuple(member for member in self.members if member.name != name)


def _filled(section: S, shared: Mapping[str, object]) -> S:
    """Return a section with each shared value that it has none of its own for."""
    lacking = {name: value for name, value in shared.items() if getattr(section, name) is None}
    return section.model_copy(update=lacking)
