"""The orders in which members may take a round."""

from orchestrator.cluster.facts import Subject
from orchestrator.etcd import api, gather
from orchestrator.migrations.table import Order
from orchestrator.operations import Poll


def _leader(everyone: tuple[Subject, ...]) -> Poll:
    return Poll(
        "leader",
        tuple(api.of(subject).status(subject) for subject in everyone),
        lambda answers: gather.leader(everyone, answers),
    )


one_by_one = Order("one by one")
leader_last = Order("leader last", last=_leader)
leader_last_if_any = Order("leader last, if there is one", last=_leader, waits=False)
