"""The plan as an operator writes it: every field, its default, an example and its meaning."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

from orchestrator.cluster import spelling
from orchestrator.cluster.faults import Loc
from orchestrator.cluster.model import Frozen, Port

Name = Annotated[str, AfterValidator(spelling.name)]
Address = Annotated[str, AfterValidator(spelling.address)]
User = Annotated[str, AfterValidator(spelling.user)]
Service = Annotated[str, AfterValidator(spelling.service)]
Directory = Annotated[str, AfterValidator(spelling.directory)]
File = Annotated[str, AfterValidator(spelling.path)]
Template = Annotated[str, AfterValidator(spelling.template)]
Duration = Annotated[str, BeforeValidator(spelling.duration)]
PeerAuth = Annotated[bool, AfterValidator(spelling.checks_peers)]
Become = Literal["none", "sudo"]


class Section(Frozen):
    """A mapping in the plan. Nothing is converted: ``"22"`` is not a number and ``yes`` is not true."""

    model_config = ConfigDict(strict=True)


class MemberSshSection(Section):
    """How this one member is reached, where it differs from ``ssh``."""

    host: Address | None = Field(
        None, description="What to connect to, if not the member's `address`.", examples=["10.0.0.1"]
    )
    port: Port | None = Field(None, description="Instead of `ssh.port`.", examples=[2222])
    user: User | None = Field(None, description="Instead of `ssh.user`.", examples=["admin"])
    identity_file: File | None = Field(
        None, description="Instead of `ssh.identity_file`.", examples=["keys/server1"]
    )
    known_hosts: File | None = Field(
        None, description="Instead of `ssh.known_hosts`.", examples=["keys/known_hosts"]
    )
    become: Become | None = Field(None, description="Instead of `ssh.become`.", examples=["sudo"])


class MemberSection(Section):
    """One etcd member, and where it differs from the others."""

    name: Name = Field(
        description="Your name for the member; `{name}` in paths. Unique.", examples=["server1"]
    )
    address: Address = Field(
        description="IPv4 or IPv6 address or DNS name that clients and other members dial. Unique.",
        examples=["198.18.0.101"],
    )
    service: Service | None = Field(None, description="Instead of the plan's `service`.", examples=["etcd2"])
    certificate: Template | None = Field(
        None, description="Instead of `tls.certificate`.", examples=["pki/other.pem"]
    )
    key: Template | None = Field(None, description="Instead of `tls.key`.", examples=["pki/other-key.pem"])
    ssh: MemberSshSection = Field(
        MemberSshSection(), description="Instead of `ssh`, field by field.", examples=["{port: 2222}"]
    )


class SshSection(Section):
    """How the hosts are reached."""

    user: User = Field("root", description="User to log in as.", examples=["admin"])
    port: Port = Field(22, description="TCP port of the SSH server.", examples=[2222])
    identity_file: File | None = Field(
        None,
        description="Private key to log in with; without it, those of the SSH agent.",
        examples=["keys/id_ed25519"],
    )
    known_hosts: File = Field(
        "~/.ssh/known_hosts",
        description="File with the hosts' own keys; a host that is not in it is refused.",
        examples=["keys/known_hosts"],
    )
    become: Become = Field(
        "none", description="How to become root: `none` (the user is root) or `sudo`.", examples=["sudo"]
    )


class TlsSection(Section):
    """Certificates. Files are on the machine that runs the orchestrator; ``directory`` is on the hosts."""

    ca: File = Field(description="Certificate authority that signed all of them.", examples=["pki/ca.pem"])
    certificate: Template = Field(
        description="Each member's certificate; `{name}` is the member's name.", examples=["pki/{name}.pem"]
    )
    key: Template = Field(
        description="Each member's private key; `{name}` is the member's name.",
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


class PortsSection(Section):
    """TCP ports, the same on every member and different from each other."""

    client: Port = Field(2379, description="etcd's client port.", examples=[2379])
    peer: Port = Field(2380, description="etcd's peer port.", examples=[2380])
    local: Port = Field(4001, description="Port for unencrypted clients on loopback only.", examples=[4001])


class PatienceSection(Section):
    """How long to wait. Durations are written with their unit: `ms`, `s` or `m`."""

    gate: Duration = Field("90s", description="How long a check may take to hold.", examples=["90s"])
    pause: Duration = Field("500ms", description="Pause between two looks.", examples=["500ms"])


class Plan(Section):
    """The whole plan."""

    cluster: Name = Field(description="Your name for the cluster.", examples=["three-members"])
    members: tuple[MemberSection, ...] = Field(
        description="Every member, at least one.", examples=["[{name: server1, address: 198.18.0.101}]"]
    )
    tls: TlsSection = Field(description="Certificates.", examples=["{ca: pki/ca.pem, ...}"])
    service: Service = Field(
        "etcd", description="systemd unit of etcd, without `.service`.", examples=["etcd2"]
    )
    strategy: str = Field("bridge", description="Which migration to run.", examples=["bridge"])
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


SECTIONS: Mapping[str, type[Section]] = MappingProxyType({
    "":              Plan,
    "members.*":     MemberSection,
    "members.*.ssh": MemberSshSection,
    "ssh":           SshSection,
    "tls":           TlsSection,
    "ports":         PortsSection,
    "patience":      PatienceSection,
})  # fmt: skip


def section(loc: Loc) -> type[Section] | None:
    """Return the section that stands at a place in a plan."""
    return SECTIONS.get(".".join("*" if isinstance(part, int) else part for part in loc))


def described(loc: Loc) -> FieldInfo | None:
    """Return the description of the field at a place in a plan."""
    owner = section(loc[:-1])
    return owner.model_fields.get(str(loc[-1])) if owner and loc else None
