"""Comparing the members' data: the same revision is hashed on each, and asked for again until it can be."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from orchestrator.engine import wait
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Waiting
from orchestrator.engine.wait import NotYetError
from orchestrator.etcd import api
from orchestrator.etcd.api import Hashed, MemberStatus
from orchestrator.etcd.facts import hashes
from orchestrator.etcd.facts.hashes import Agreement
from orchestrator.etcd.gather import targets_of
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Facts, Target
from orchestrator.plan.kinds import OrAuto
from orchestrator.remote.executor import Hosts, Refusal
from orchestrator.session import Session

Found = TypeVar("Found")
_DATA = "data"
_UNCOUNTED = 2  # comparisons: compactions are minutes apart
NO_HASH = "the v2 interface has no hash of the keys: the members' data is not compared"


class DifferError(NotYetError):
    """The members were compared, and do not hold the same data."""


def agree(session: Session, facts: Facts, context: RunContext) -> Agreement | str:
    """Return at which revision all members hold the same data, and its hash; or why they are not compared.

    Raises DifferError if the last comparison showed a difference, and NotYetError if none could be made
    within the plan's patience. What the answers of the first two comparisons take, where members hold
    gigabytes, does not count: a compaction between two members' answers is no reason to give up.
    """
    cluster = session.cluster
    if reason := hashes.left_out(cluster.compare_data, {}):  # whatever members hold: nobody is asked
        return reason

    def report(reasons: tuple[str, ...]) -> None:
        context.narrate(Waiting(reasons=reasons))

    targets = targets_of(cluster, facts)
    comparison = _Comparison(session.hosts, targets, context.clock, cluster.compare_data, report)
    return wait.until(
        lambda _: comparison.once(),
        context.patience,
        context.sleep,
        report,
        uncounted_s=lambda: comparison.uncounted_s,
    )


class _Comparison:
    """One comparison, however often it has to be begun; who lags has to come to where others were at first.

    The lowest revision is one that everybody has. If nothing is written and it was compacted, etcd refuses it
    and hashes its last one only: so after a refusal that is asked for, and compared if it was the same.
    ``uncounted_s`` is how long those took who answered in the first two comparisons, until one of them shows
    a difference: who runs out of time is hashing still, and asking again makes it worse.
    """

    def __init__(
        self,
        hosts: Hosts,
        targets: tuple[Target, ...],
        clock: Callable[[], float],
        compares: OrAuto,
        report: wait.Report,
    ) -> None:
        self._hosts = hosts
        self._report = report
        self._compares = compares
        self._targets = targets
        self._api = api.of(targets[0])
        self._clock = clock
        self._wanted = 0
        self._attempts = 0
        self._asks_last = False
        self.uncounted_s = 0.0

    def once(self) -> Agreement | str:
        statuses = self._statuses()
        if reason := hashes.left_out(self._compares, statuses):
            return reason
        self._wanted = self._wanted or max(one.revision for one in statuses.values())
        _refuse(hashes.late(statuses, self._wanted))
        lowest = min(one.revision for one in statuses.values())
        revision = 0 if self._asks_last else lowest
        found = self._hashed(statuses, revision)
        if not found:
            return NO_HASH
        _refuse(hashes.uncomparable(found, revision))
        first = next(iter(found.values()))
        reported = hashes.difference(found, revision or first.revision)
        if reported:
            self.uncounted_s = 0.0  # that is an answer
            raise DifferError([Refusal(_DATA, reason) for reason in reported])
        return Agreement(revision or first.revision, first.hash)

    def _statuses(self) -> dict[str, MemberStatus]:
        statuses = {target.name: self._api.status(target) for target in self._targets}
        answers = self._hosts.look(status.question for status in statuses.values())
        return {name: _read(name, status, answers) for name, status in statuses.items()}

    def _hashed(self, statuses: Mapping[str, MemberStatus], revision: int) -> dict[str, Hashed]:
        """Ask one member after the other; nothing where the interface has no hash."""
        found = {}
        self._attempts += 1
        self._asks_last = revision > 0  # if one refuses
        for target in sorted(self._targets, key=lambda target: hashes.is_leader(statuses[target.name])):
            hashed = self._api.hash_at(target, revision, statuses[target.name].size_bytes)
            if hashed is not None:
                if held := hashes.large({target.name: statuses[target.name]}):
                    self._report((f"{held}, which it hashes to compare the data",))
                began_s = self._clock()
                answers = self._hosts.look([hashed.question])
                found[target.name] = _read(target.name, hashed, answers)
                self.uncounted_s += self._clock() - began_s if self._attempts <= _UNCOUNTED else 0.0
        self._asks_last = False
        return found


def _read(name: str, fact: Fact[Found], answers: Answers) -> Found:
    try:
        return fact.read(answers)
    except (ValueError, LookupError) as error:
        raise NotYetError([Refusal(name, str(error))]) from error


def _refuse(reasons: Sequence[str]) -> None:
    if reasons:
        raise NotYetError([Refusal(_DATA, reason) for reason in reasons])
