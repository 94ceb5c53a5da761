"""Whether another etcd on a member's host has its certificates where the plan puts this one's."""

from collections.abc import Iterable

from orchestrator.etcd.facts import neighbours
from orchestrator.etcd.settings import Paths
from orchestrator.host.checks import Check, Remark, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target


def other_etcds(target: Target) -> Check:
    """Ask which of the certificate files that will be ours are another etcd's already."""
    paths = Paths.of(target)
    asked = neighbours.of(target, paths.material)

    def judge(answers: Answers) -> Iterable[Remark]:
        found = asked.read(answers)
        for unit, pid in dict.fromkeys((one.unit, one.pid) for one in found):
            used = ", ".join(one.path for one in found if one.pid == pid)
            yield wrong(f"{unit or 'another etcd'} (pid {pid}) uses {used}")
        if not found:
            yield fine(f"no other etcd uses files in {paths.directory}")

    return Check(target.name, (asked,), judge)
