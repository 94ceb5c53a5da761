"""Looking before the first change: named checks with verdict, evidence, reason and mend."""

from orchestrator.etcd.preflight.checklist import CHECKLIST, FACTS, LOGIN, examinations, of_gate, order
from orchestrator.etcd.preflight.clock import time_of
from orchestrator.etcd.preflight.finding import Examination, Finding, Item, Remark, Verdict
from orchestrator.etcd.preflight.members import version_of
from orchestrator.etcd.preflight.site import Moments, Site, assumed

__all__ = [
    "CHECKLIST",
    "FACTS",
    "LOGIN",
    "Examination",
    "Finding",
    "Item",
    "Moments",
    "Remark",
    "Site",
    "Verdict",
    "assumed",
    "examinations",
    "of_gate",
    "order",
    "time_of",
    "version_of",
]
