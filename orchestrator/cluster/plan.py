"""The plan as an operator writes it: every field, its default, an example and its meaning."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo

from orchestrator.cluster import model, spelling
from orchestrator.cluster.faults import Loc
from orchestrator.cluster.hosts import HostSshSection, MemberSection, ProxySection, SshSection
from orchestrator.cluster.kinds import (
    Directory,
    Duration,
    File,
    Name,
    Pattern,
    PeerAuth,
    Section,
    Service,
    Template,
)
from orchestrator.cluster.model import Port


class TlsSection(Section):
    """Certificates. Files are on the machine that runs the orchestrator; ``directory`` is on the hosts."""

    ca: File = Field(description="Certificate authority that signed all of them.", examples=["pki/ca.pem"])
    certificate: Template = Field(
        description="Each host's certificate; `{name}` is the host's name.", examples=["pki/{name}.pem"]
    )
    key: Template = Field(
        description="Each host's private key; `{name}` is the host's name.",
        examples=["pki/{name}-key.pem"],
    )
    client_certificate: File = Field(
        description="What the orchestrator shows when it checks.", examples=["pki/client.pem"]
    )
    client_key: File = Field(description="Private key of it.", examples=["pki/client-key.pem"])
    directory: Directory = Field(
        description="Directory on the hosts for CA, certificate and key.", examples=["/etc/etcd2"]
    )
    client_cert_auth: bool = Field(
        default=True, description="Whether clients must show a certificate.", examples=["true"]
    )
    peer_cert_auth: PeerAuth = Field(
        default=True,
        description="Whether members must show one to each other; only `true`.",
        examples=["true"],
    )
    trust: Literal["system", "files"] = Field(
        "system",
        description="Whether the CA also goes into the hosts' own trust store (`system`) or not (`files`).",
        examples=["files"],
    )


class PortsSection(Section):
    """TCP ports, the same on every member and different from each other."""

    client: Port = Field(2379, description="etcd's client port.", examples=[2379])
    peer: Port = Field(2380, description="etcd's peer port.", examples=[2380])
    local: Port = Field(4001, description="Port for unencrypted clients on loopback only.", examples=[4001])
    trial: Port = Field(
        12380,
        description="Port, open between the members, on which their certificates are tried out for a minute.",
        examples=[12380],
    )


class PatienceSection(Section):
    """How long to wait. Durations are written with their unit: `ms`, `s` or `m`."""

    gate: Duration = Field(
        "90s",
        description="How long a check may take to hold, and a vanished host may stay away.",
        examples=["90s"],
    )
    pause: Duration = Field("500ms", description="Pause between two looks.", examples=["500ms"])


class WatchSection(Section):
    """Local clients of the members, watched while they restart. A list of units alone is enough."""

    units: tuple[Service, ...] = Field(
        (), description="systemd units on the members, without `.service`.", examples=["[fleet, flanneld]"]
    )
    quiet: Duration = Field(
        "10s",
        description="How long they must log no error after a change; shorter than `patience.gate`.",
        examples=["10s"],
    )
    errors: Pattern = Field(
        model.Watch().errors,
        description="Regular expression (Python's) of a log line that counts as an error.",
        examples=[r"'(?i)\b(error|failed)\b'"],
    )


Watch = Annotated[WatchSection, BeforeValidator(spelling.units_alone)]


class Plan(Section):
    """The whole plan."""

    cluster: Name = Field(description="Your name for the cluster.", examples=["three-members"])
    members: tuple[MemberSection, ...] = Field(
        description="Every member, at least one.", examples=["[{name: server1, address: 198.18.0.101}]"]
    )
    proxies: tuple[ProxySection, ...] = Field(
        (), description="Every etcd v2 proxy.", examples=["[{name: proxy1, address: 198.18.0.111}]"]
    )
    tls: TlsSection = Field(description="Certificates.", examples=["{ca: pki/ca.pem, ...}"])
    service: Service = Field(
        "etcd", description="systemd unit of etcd, without `.service`.", examples=["etcd2"]
    )
    strategy: str = Field("bridge", description="Which migration to run.", examples=["bridge"])
    api: Literal["auto", "v2", "v3"] = Field(
        "auto",
        description="etcd's interface to work through; `auto` takes the one that the members' version has.",
        examples=["v2"],
    )
    accept_downtime: bool = Field(
        default=False,
        description="Whether the cluster may be away while a member restarts; needed for one or two members.",
        examples=["true"],
    )
    ssh: SshSection = Field(SshSection(), description="How the hosts are reached.", examples=["{user: root}"])
    ports: PortsSection = Field(PortsSection(), description="TCP ports.", examples=["{client: 2379}"])
    patience: PatienceSection = Field(
        PatienceSection(), description="How long to wait.", examples=["{gate: 90s}"]
    )
    watch: Watch = Field(
        WatchSection(),
        description="Local clients that have to stay quiet: a list of units, or the fields below.",
        examples=["[fleet, flanneld]"],
    )


SECTIONS: Mapping[str, type[Section]] = MappingProxyType({
    "":              Plan,
    "members.*":     MemberSection,
    "members.*.ssh": HostSshSection,
    "proxies.*":     ProxySection,
    "proxies.*.ssh": HostSshSection,
    "ssh":           SshSection,
    "tls":           TlsSection,
    "ports":         PortsSection,
    "patience":      PatienceSection,
    "watch":         WatchSection,
})  # fmt: skip


def section(loc: Loc) -> type[Section] | None:
    """Return the section that stands at a place in a plan."""
    return SECTIONS.get(".".join("*" if isinstance(part, int) else part for part in loc))


def described(loc: Loc) -> FieldInfo | None:
    """Return the description of the field at a place in a plan."""
    owner = section(loc[:-1])
    return owner.model_fields.get(str(loc[-1])) if owner and loc else None
