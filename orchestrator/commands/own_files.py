"""What the operator's own files say on the hosts, beside what they have to say."""

from collections.abc import Iterable, Mapping

from orchestrator.etcd.install import reading, theirs
from orchestrator.etcd.install.theirs import Place
from orchestrator.plan.facts import Target
from orchestrator.session import Session


def places(session: Session, targets: Iterable[Target]) -> Mapping[str, tuple[Place, ...]]:
    """Look at the own files of the hosts that run etcd, and return by host what each has to say."""
    found = reading.read((one for one in targets if one.runs_etcd), session.hosts.look)
    return {target.name: theirs.places(target, one, texts) for target, one, texts in found}


def overridden(session: Session, targets: Iterable[Target]) -> Iterable[str]:
    """Name the lines of the hosts' own files that would bring http back if ours were gone, a row a file."""
    for name, found in places(session, targets).items():
        for place in found:
            if place.changes:
                numbers = ", ".join(
                    str(number) for number in sorted({one.said.line for one in place.changes})
                )
                yield f"{name}: {place.path}: lines {numbers}"
