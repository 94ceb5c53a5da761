"""The orders in which members may take a round."""

from orchestrator.etcd import api
from orchestrator.host.checks import Poll
from orchestrator.host.questions import Answers
from orchestrator.migrations.table import Order
from orchestrator.plan.facts import Target


def _leader(everyone: tuple[Target, ...]) -> Poll:
    """Who leads, as the first member says that answers and knows it."""
    statuses = [api.of(target).status(target) for target in everyone]
    by_id = {target.member.id: target.name for target in everyone}

    def read(answers: Answers) -> str | None:
        for status in statuses:
            try:
                leader = by_id.get(status.read(answers).leader)
            except ValueError:
                continue  # a member that does not answer is not the one to say
            if leader is not None:
                return leader
        return None

    return Poll("leader", tuple(statuses), read)


one_by_one = Order("one by one")
all_at_once = Order("all at once", at_once=True)
in_turn = Order("in turn, then one look at all", at_once=True)
leader_last = Order("leader last", last=_leader)
leader_last_if_any = Order("leader last, if there is one", last=_leader, waits=False)
