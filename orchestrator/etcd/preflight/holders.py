"""Who holds a host's lock: while anybody does, no other run begins."""

from collections.abc import Iterable

from orchestrator.etcd.preflight.finding import on_each_host
from orchestrator.etcd.preflight.site import Site
from orchestrator.host import lock
from orchestrator.host.checks import Check, Remark, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Subject


@on_each_host
def holders(_site: Site, subject: Subject) -> Check:
    """Ask who holds the host's lock."""
    held = lock.held(subject.name)

    def judge(answers: Answers) -> Iterable[Remark]:
        holder = held.read(answers)
        yield wrong(f"held by {holder}") if holder else fine("nobody holds it")

    return Check(subject.name, (held,), judge)
