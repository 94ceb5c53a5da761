"""Who holds a host's lock: while anybody does, no other run begins."""

from collections.abc import Iterable

from orchestrator import lock
from orchestrator.cluster.facts import Subject
from orchestrator.etcd.preflight.finding import Examination, Remark, fine, on_each_host, wrong
from orchestrator.etcd.preflight.site import Site
from orchestrator.operations import Answers


@on_each_host
def holders(_site: Site, subject: Subject) -> Examination:
    """Ask who holds the host's lock."""
    question = lock.question(subject.name)

    def judge(answers: Answers) -> Iterable[Remark]:
        holder = lock.read(answers[question].text)
        yield wrong(f"held by {holder}") if holder else fine("nobody holds it")

    return Examination(subject.name, (question,), judge)
