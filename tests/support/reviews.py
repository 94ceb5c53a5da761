"""A review of what a dry run noted down, for tests that read one."""

from collections.abc import Sequence
from typing import Any

from engine.world import World

from orchestrator.etcd.gather import gather, targets_of
from orchestrator.host.operations import Job
from orchestrator.migrations import MIGRATIONS
from orchestrator.output import plain
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Cluster
from orchestrator.report.review import text
from orchestrator.report.review.making import make
from orchestrator.report.review.model import Review
from orchestrator.report.review.seen import Seen
from orchestrator.runbook.model import Runbook


def targets(cluster: Cluster, world: World) -> tuple[Target, ...]:
    """Every host of a world that nothing was done to, members first."""
    members = targets_of(cluster, gather(cluster, world.look))
    return (*members, *members[0].proxies)


def reviewed(cluster: Cluster, world: World, runbook: Runbook, jobs: Sequence[Job], **more: Any) -> Review:  # noqa: ANN401 -- fields of Seen
    """Return the review of a world that nothing was done to."""
    migration = MIGRATIONS[runbook.migration].of(cluster)
    meanings = {state.name: state.meaning for state in migration.states}
    undoing = "orchestrator rollback PLAN leads back from every state"
    return make(runbook, jobs, Seen(targets(cluster, world), meanings, undoing=undoing, **more))


def shown(review: Review, *, verbose: bool = False) -> str:
    """Return a review as a pipe gets it."""
    return plain(text.parts(review, verbose=verbose))
