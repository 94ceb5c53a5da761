"""``settings``: what the operator's own files have to say from now on, so that nobody puts http back."""

from collections.abc import Iterable, Mapping

from orchestrator.commands import recall
from orchestrator.commands.status import read_progress
from orchestrator.errors import RefusedError
from orchestrator.etcd import files
from orchestrator.etcd.install import theirs, unit
from orchestrator.etcd.install.theirs import Place
from orchestrator.etcd.install.unit import Unit
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Facts, Target
from orchestrator.report import settings as report
from orchestrator.session import Session


def reported(session: Session) -> str:
    """Return the final settings of every host, in the form and the file in which each has its own."""
    facts = facts_of(session)
    targets = [Target(session.cluster, facts, host) for host in session.cluster.hosts]
    found = places(session, targets)
    return "\n\n".join(report.text(target, found[target.name]) for target in targets)


def places(session: Session, targets: Iterable[Target]) -> Mapping[str, tuple[Place, ...]]:
    """Look at the hosts' own files, and return by host what each has to say."""
    units = [(target, unit.of(target)) for target in targets]
    answers = session.hosts.look(fact.question for _, fact in units)
    read = [(target, _read(target, fact, answers)) for target, fact in units]
    texts = {
        target.name: files.texts(target, [path])
        for target, one in read
        if (path := theirs.configuration(target, one))
    }
    answers = session.hosts.look(fact.question for fact in texts.values()) if texts else {}
    found = {name: fact.read(answers) for name, fact in texts.items()}
    return {target.name: theirs.places(target, one, found.get(target.name, {})) for target, one in read}


def _read(target: Target, fact: Fact[Unit], answers: Answers) -> Unit:
    try:
        return fact.read(answers)
    except ValueError as error:
        raise RefusedError(
            f"{target.name}: cannot read the unit {target.host.service}.service: {error}"
        ) from error


def facts_of(session: Session) -> Facts:
    """Return what the run began with; without a run, what the hosts show now."""
    progress = read_progress(session)
    if progress.opened is None or progress.is_rolled_back:
        return recall.read_facts(session)
    recall.compile_noted(session, progress.opened)  # it refuses a file of another plan
    return progress.opened.facts
