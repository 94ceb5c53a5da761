"""What the operator's own files say on the hosts, beside what they have to say."""

from collections.abc import Iterable, Mapping

from orchestrator.errors import RefusedError
from orchestrator.etcd import files
from orchestrator.etcd.install import theirs, unit
from orchestrator.etcd.install.theirs import Place
from orchestrator.etcd.install.unit import Unit
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Target
from orchestrator.session import Session


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


def overridden(session: Session, targets: Iterable[Target]) -> Iterable[str]:
    """Name the lines of the hosts' own files that would bring http back if ours were gone, a row a file."""
    for name, found in places(session, targets).items():
        for place in found:
            if place.changes:
                numbers = ", ".join(
                    str(number) for number in sorted({one.said.line for one in place.changes})
                )
                yield f"{name}: {place.path}: lines {numbers}"


def _read(target: Target, fact: Fact[Unit], answers: Answers) -> Unit:
    try:
        return fact.read(answers)
    except ValueError as error:
        raise RefusedError(
            f"{target.name}: cannot read the unit {target.host.service}.service: {error}"
        ) from error
