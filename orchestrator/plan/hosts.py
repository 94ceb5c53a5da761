"""Hosts with a role: members, proxies and clients' hosts, and how they are reached."""

from typing import Any

from pydantic import Field

from orchestrator.plan.kinds import (
    Address,
    Become,
    Config,
    File,
    HostFile,
    HostKey,
    Jumps,
    Name,
    Port,
    Section,
    Service,
    SshHost,
    User,
)

SHARED: Any = None  # no value of its own: a cluster gives each of its hosts what they all have


class Ssh(Section):
    """How this one host is reached, where it differs from ``ssh``."""

    # what the plan says is in model_fields_set, and beats OpenSSH's configuration; a default does not
    host: SshHost = Field(
        SHARED,
        description="What to connect to, if not the host's `address`; a `Host` of `~/.ssh/config` too.",
        examples=["10.0.0.1"],
    )
    port: Port = Field(SHARED, description="Instead of `ssh.port`.", examples=[2222])
    user: User = Field(SHARED, description="Instead of `ssh.user`.", examples=["admin"])
    identity_file: File | None = Field(
        SHARED, description="Instead of `ssh.identity_file`.", examples=["keys/server1"]
    )
    known_hosts: File = Field(
        SHARED, description="Instead of `ssh.known_hosts`.", examples=["keys/known_hosts"]
    )
    become: Become = Field(SHARED, description="Instead of `ssh.become`.", examples=["sudo"])
    config: Config | None = Field(SHARED, description="Instead of `ssh.config`.", examples=["none"])
    jump: Jumps | None = Field(SHARED, description="Instead of `ssh.jump`.", examples=["none"])
    host_key: HostKey | None = Field(
        None,
        description="Fingerprint of the host's own key; with it, no `known_hosts` is needed for this host.",
        examples=["SHA256:..."],
    )


class Host(Section):
    """What every host has, whatever its role."""

    name: Name = Field(
        description="Your name for the host; `{name}` in paths. Unique among all hosts of the plan.",
        examples=["server1"],
    )
    address: Address = Field(
        description="IPv4 or IPv6 address or DNS name that clients and members dial. Unique, as the name is.",
        examples=["198.18.0.101"],
    )
    ssh: Ssh = Field(
        {}, description="Instead of `ssh`, field by field.", examples=["{port: 2222}"], validate_default=True
    )


class EtcdHost(Host):
    """What every host has that runs etcd. ``certificate`` and ``key`` are files on the bastion."""

    service: Service = Field(SHARED, description="Instead of the plan's `service`.", examples=["etcd2"])
    certificate: HostFile = Field(
        SHARED, description="Instead of `tls.certificate`.", examples=["pki/other.pem"]
    )
    key: HostFile = Field(SHARED, description="Instead of `tls.key`.", examples=["pki/other-key.pem"])


class Member(EtcdHost):
    """One etcd member, and where it differs from the others."""


class Proxy(EtcdHost):
    """One etcd v2 proxy, with a member's fields and defaults."""


class ClientHost(Host):
    """A host that is no member, and on which clients run that the plan moves; reached as members are."""
