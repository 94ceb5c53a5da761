"""Where a member's settings come from, and what would silently beat ours."""

from collections.abc import Iterable

from orchestrator.etcd import install
from orchestrator.etcd.install import next_start
from orchestrator.etcd.install import origins as install_origins
from orchestrator.host.checks import Check, Remark
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target


def left_behind(target: Target) -> Check:
    """Ask for everything that the unit reads: what the operator's own files say counts again without ours."""
    asked, judge = next_start.looked_at(
        target, lambda read, texts: next_start.left_behind(target, read, texts)
    )
    return Check(target.name, asked, judge)


def origins(target: Target) -> Check:
    """Ask for the running process's flags and variables, and for every file that its unit reads them from."""
    is_under_way = bool(target.facts.cluster_id)
    installed = install.of(target)
    runs, described = installed.running, installed.next_start

    def judge(answers: Answers) -> Iterable[Remark]:
        running, read = runs.read(answers), described.read(answers)
        return install_origins.judge(target, running, read, is_under_way=is_under_way)

    return Check(target.name, (runs, described), judge)
