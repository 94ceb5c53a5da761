"""The plan as an operator writes it: which section stands where, and what its fields are called there."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic.fields import FieldInfo

from orchestrator.plan.faults import Loc
from orchestrator.plan.hosts import ClientHost, Member, Proxy, Ssh
from orchestrator.plan.kinds import Section
from orchestrator.plan.model import Cluster
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

SECTIONS: Mapping[str, type[Section]] = MappingProxyType({
    "":                        Cluster,
    "members.*":               Member,
    "members.*.ssh":           Ssh,
    "proxies.*":               Proxy,
    "proxies.*.ssh":           Ssh,
    "ssh":                     SharedSsh,
    "tls":                     Tls,
    "auth":                    Auth,
    "ports":                   Ports,
    "patience":                Patience,
    "watch":                   Watch,
    "probe":                   Probe,
    "notify":                  Notify,
    "clients":                 Clients,
    "clients.hosts.*":         ClientHost,
    "clients.hosts.*.ssh":     Ssh,
    "clients.units.*":         ClientUnit,
    "clients.units.*.files.*": ClientFile,
})  # fmt: skip


def fields(section: type[Section]) -> dict[str, FieldInfo]:
    """Return a section's fields by the names that a plan has for them."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def section(loc: Loc) -> type[Section] | None:
    """Return the section that stands at a place in a plan."""
    return SECTIONS.get(".".join("*" if isinstance(part, int) else part for part in loc))


def described(loc: Loc) -> FieldInfo | None:
    """Return the description of the field at a place in a plan."""
    owner = section(loc[:-1])
    return fields(owner).get(str(loc[-1])) if owner and loc else None
