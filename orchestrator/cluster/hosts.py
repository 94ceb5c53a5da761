"""Hosts as an operator writes them: members and proxies, and how they are reached."""

from pydantic import Field

from orchestrator.cluster.kinds import Address, Become, File, Name, Section, Service, Template, User
from orchestrator.cluster.model import Port


class HostSshSection(Section):
    """How this one host is reached, where it differs from ``ssh``."""

    host: Address | None = Field(
        None, description="What to connect to, if not the host's `address`.", examples=["10.0.0.1"]
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


class HostSection(Section):
    """What every host has, whatever its role."""

    name: Name = Field(
        description="Your name for the host; `{name}` in paths. Unique among members and proxies.",
        examples=["server1"],
    )
    address: Address = Field(
        description="IPv4 or IPv6 address or DNS name that clients and members dial. Unique, as the name is.",
        examples=["198.18.0.101"],
    )
    service: Service | None = Field(None, description="Instead of the plan's `service`.", examples=["etcd2"])
    certificate: Template | None = Field(
        None, description="Instead of `tls.certificate`.", examples=["pki/other.pem"]
    )
    key: Template | None = Field(None, description="Instead of `tls.key`.", examples=["pki/other-key.pem"])
    ssh: HostSshSection = Field(
        HostSshSection(), description="Instead of `ssh`, field by field.", examples=["{port: 2222}"]
    )


class MemberSection(HostSection):
    """One etcd member, and where it differs from the others."""


class ProxySection(HostSection):
    """One etcd v2 proxy, with a member's fields and defaults."""


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
