"""Looking before the first change: named checks with verdict, evidence, reason and mend."""

from orchestrator.etcd.preflight.checklist import CHECKLIST, FACTS, LOGIN, of_gate, order
from orchestrator.etcd.preflight.clock import time_of
from orchestrator.etcd.preflight.finding import Finding, Item
from orchestrator.etcd.preflight.site import Moments, Site, assumed

__all__ = [
    "CHECKLIST",
    "FACTS",
    "LOGIN",
    "Finding",
    "Item",
    "Moments",
    "Site",
    "assumed",
    "of_gate",
    "order",
    "time_of",
]
