"""A running cluster as it was found over SSH, before there is a plan of it, as plain values."""

from dataclasses import dataclass, field
from typing import Literal

from orchestrator.plan.seeds import Seed


@dataclass(frozen=True, slots=True)
class DiscoveredHost:
    """One host. ``name`` and ``address`` are as a plan takes them; ``seed`` is how it was reached.

    ``settings_from`` says where its etcd has its settings; ``certificates`` are those that it uses already.
    ``notes`` are what an operator has to look at.
    """

    name: str
    address: str
    service: str
    seed: Seed
    role: Literal["member", "proxy"] = "member"
    settings_from: str = ""
    certificates: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Discovered:
    """A cluster. ``name`` is empty if nobody has named it; ``local`` is every member's port on loopback."""

    name: str
    version: str
    hosts: tuple[DiscoveredHost, ...]
    client: int
    peer: int
    local: int | None = None
    wants_login: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def members(self) -> tuple[DiscoveredHost, ...]:
        """Hosts that are members."""
        return tuple(host for host in self.hosts if host.role == "member")

    @property
    def proxies(self) -> tuple[DiscoveredHost, ...]:
        """Hosts that are v2 proxies."""
        return tuple(host for host in self.hosts if host.role == "proxy")
