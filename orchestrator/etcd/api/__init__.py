"""etcd's two interfaces behind one set of words."""

from orchestrator.etcd.api.v2 import V2
from orchestrator.etcd.api.v3 import V3
from orchestrator.etcd.api.words import Api, Hashed, Health, MemberStatus, Registered
from orchestrator.plan.facts import Target

APIS: dict[str, Api] = {api.name: api for api in (V2(), V3())}


def of(target: Target) -> Api:
    """Return the interface through which this cluster is driven; found out, not assumed."""
    return APIS[target.facts.api]


__all__ = ["APIS", "Api", "Hashed", "Health", "MemberStatus", "Registered", "of"]
