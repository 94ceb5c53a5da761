"""etcd's two interfaces behind one set of words."""

from orchestrator.etcd.api.v2 import V2
from orchestrator.etcd.api.v3 import V3
from orchestrator.etcd.api.words import Api, Hashed, Health, Registered, Standing
from orchestrator.plan.facts import Subject

APIS: dict[str, Api] = {api.name: api for api in (V2(), V3())}


def of(subject: Subject) -> Api:
    """Return the interface through which this cluster is driven; found out, not assumed."""
    return APIS[subject.facts.api]


__all__ = ["APIS", "Api", "Hashed", "Health", "Registered", "Standing", "of"]
