"""How an etcd is configured on its host: what runs, what the next start would use, how that is changed.

Whatever says "drop-in" or "Environment=" lives here; etcd/stages.py says only which settings.
"""

from orchestrator.etcd.install.composed import Composed
from orchestrator.etcd.install.interface import Install
from orchestrator.plan.facts import Target

__all__ = ["Install", "of"]


def of(target: Target) -> Install:
    """Return how the host's etcd is configured."""
    return Composed(target)
