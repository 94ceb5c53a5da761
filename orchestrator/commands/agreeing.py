"""Comparing the members' data: the same revision is hashed on each, and asked for again until it can be."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from orchestrator.engine import gate
from orchestrator.engine.events import Waiting
from orchestrator.engine.gate import NotYetError
from orchestrator.engine.pace import Pace
from orchestrator.etcd import api
from orchestrator.etcd.api import Hashed, Standing
from orchestrator.etcd.facts import hashes
from orchestrator.etcd.facts.hashes import Agreement
from orchestrator.etcd.gather import subjects_of
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Facts, Subject
from orchestrator.remote.executor import Hosts, Refusal
from orchestrator.session import Session

Found = TypeVar("Found")
_DATA = "data"


class DifferError(NotYetError):
    """The members were compared, and do not hold the same data."""


def agree(session: Session, facts: Facts, pace: Pace) -> Agreement | None:
    """Return at which revision all members hold the same data, and its hash; None where there is no hash.

    Raises DifferError if the last comparison showed a difference, and NotYetError if none could be made
    within the plan's patience.
    """
    comparison = _Comparison(session.hosts, subjects_of(session.cluster, facts))

    def tell(reasons: tuple[str, ...]) -> None:
        pace.narrate(Waiting(reasons=reasons))

    return gate.until(comparison.once, pace.patience, pace.sleep, tell)


class _Comparison:
    """One comparison, however often it has to be begun; who lags has to come to where others were at first.

    The lowest revision is one that everybody has. If nothing is written and it was compacted, etcd refuses it
    and hashes its last one only: so every other time that is asked for, and compared if it was the same.
    """

    def __init__(self, hosts: Hosts, subjects: tuple[Subject, ...]) -> None:
        self._hosts = hosts
        self._subjects = subjects
        self._api = api.of(subjects[0])
        self._wanted = 0
        self._attempts = 0

    def once(self) -> Agreement | None:
        standing = self._standing()
        self._wanted = self._wanted or max(one.revision for one in standing.values())
        _refuse(hashes.late(standing, self._wanted))
        lowest = min(one.revision for one in standing.values())
        self._attempts += 1
        revision = lowest if self._attempts % 2 else 0
        found = self._hashed(standing, revision)
        if not found:
            return None
        _refuse(hashes.uncomparable(found, revision))
        first = next(iter(found.values()))
        told = hashes.difference(found, revision or first.revision)
        if told:
            raise DifferError([Refusal(_DATA, reason) for reason in told])
        return Agreement(revision or first.revision, first.hash)

    def _standing(self) -> dict[str, Standing]:
        statuses = {subject.name: self._api.status(subject) for subject in self._subjects}
        answers = self._hosts.look(status.question for status in statuses.values())
        return {name: _read(name, status, answers) for name, status in statuses.items()}

    def _hashed(self, standing: Mapping[str, Standing], revision: int) -> dict[str, Hashed]:
        """Ask one member after the other; nothing where the interface has no hash."""
        found = {}
        for subject in sorted(self._subjects, key=lambda subject: hashes.is_leader(standing[subject.name])):
            hashed = self._api.hash_at(subject, revision)
            if hashed is not None:
                answers = self._hosts.look([hashed.question])
                found[subject.name] = _read(subject.name, hashed, answers)
        return found


def _read(name: str, fact: Fact[Found], answers: Answers) -> Found:
    try:
        return fact.read(answers)
    except (ValueError, LookupError) as error:
        raise NotYetError([Refusal(name, str(error))]) from error


def _refuse(reasons: Sequence[str]) -> None:
    if reasons:
        raise NotYetError([Refusal(_DATA, reason) for reason in reasons])
