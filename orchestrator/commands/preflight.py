"""Looking before the first change: every question of the checklist asked, whoever does not answer."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from orchestrator.commands import recall
from orchestrator.errors import HostUnreachableError, LoginRefusedError, RefusedError
from orchestrator.etcd.checks.item import FACTS, LOGIN, Finding, Item, of_gate
from orchestrator.etcd.checks.site import Moments, Site, assumed
from orchestrator.etcd.facts.host import time_of
from orchestrator.etcd.facts.members import version
from orchestrator.etcd.gather import targets_of
from orchestrator.host.checks import Remark, fine, wrong
from orchestrator.host.questions import Answer, Question, Script
from orchestrator.plan.facts import Facts
from orchestrator.plan.jumps import NONE as NO_JUMP
from orchestrator.remote.at_once import at_once
from orchestrator.remote.each_host import HostError, ask_each
from orchestrator.session import Session

_PAUSE_S = 3.0  # an election is over by then, and a member on a busy disk has caught up
Answered = dict[Question, Answer]


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look brought; ``facts`` are None if they could not be gathered, ``lost`` tells who is lost."""

    findings: tuple[Finding, ...]
    facts: Facts | None
    lost: tuple[HostError, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """What forbids a run."""
        return tuple(finding for finding in self.findings if finding.verdict == "fail")


def look(session: Session, *, sleep: Callable[[float], None] = time.sleep) -> Looked:
    """Look at everything that the checklist names, and at the gates of the first state; changes nothing.

    If all that failed may be over in a moment (an election, a member that lags), it looks once more.
    """
    looked = _Looking(session).look()
    if looked.failed and not looked.lost and all(finding.passes_by for finding in looked.failed):
        sleep(_PAUSE_S)
        looked = _Looking(session).look()
    return looked


def look_again(session: Session, facts: Facts, *, goes_back: bool = False) -> tuple[Finding, ...]:
    """Look at what gates would show only behind the next restart, on the hosts that can be reached now."""
    return _Looking(session).look_again(facts, lambda item: item.on_rollback if goes_back else item.on_resume)


class _Looking:
    """One look at all hosts: what was answered so far, and who does not answer any more."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._answers: Answered = {}
        self._errors: dict[str, HostError] = {}
        self._reached: dict[str, Moments] = {}

    def look(self) -> Looked:
        self._log_in()
        facts, of_facts = self._facts()
        known = facts or assumed(self._session.cluster, self._interface())
        checked = self._examine(known, lambda item: not item.on_rollback)
        gates = tuple(self._gates(facts)) if facts else ()
        found = (*self._of_logins(), *of_facts, *checked, *gates)
        return Looked(self._spelled(found), facts, tuple(self._errors.values()))

    def look_again(self, facts: Facts, wanted: Callable[[Item], bool]) -> tuple[Finding, ...]:
        self._log_in()
        return self._spelled(self._examine(facts, wanted))

    def _spelled(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Let the commands that a finding names run as they are printed."""
        return tuple(replace(one, fix=self._session.spelled(one.fix)) for one in findings)

    def _ask(self, questions: Iterable[Question]) -> None:
        """Ask what was not asked yet, of those hosts that are not lost."""
        wanted = (one for one in questions if one not in self._answers and one.host not in self._errors)
        heard = ask_each(self._session.hosts, wanted)
        self._answers.update(heard.answers)
        self._lose(heard.errors)

    def _lose(self, errors: Mapping[str, HostError]) -> None:
        self._errors.update(errors)
        for host in errors:
            self._reached.pop(host, None)

    def _log_in(self) -> None:
        """Connect to every host, then read its clock, with nothing else between the two looks at ours."""
        hosts = [host.name for host in self._session.cluster.hosts]
        self._ask(Script(host, "exec true") for host in hosts)

        def one(host: str) -> None:
            began = datetime.now(UTC)
            self._ask([time_of(host).question])
            if host not in self._errors:
                self._reached[host] = (began, datetime.now(UTC))

        at_once(one, [host for host in hosts if host not in self._errors])

    def _of_logins(self) -> Iterable[Finding]:
        for host in self._session.cluster.hosts:
            error = self._errors.get(host.name)
            via = f" via {host.ssh.jump}" if host.ssh.jump not in {None, NO_JUMP} else ""
            where = f"{host.ssh.user}@{host.ssh.host}:{host.ssh.port}{via}, become {host.ssh.become}"
            remark = Remark("fail", error.reason) if error else Remark("pass", where)
            yield LOGIN.finding(host.name, remark)

    def _facts(self) -> tuple[Facts | None, tuple[Finding, ...]]:
        if self._errors:
            missing = ", ".join(self._errors)
            reported = (
                f"not read, because of {missing}; names and URLs are taken from the plan, gates are left out"
            )
            return None, (FACTS.finding("cluster", Remark("fail", reported)),)
        try:
            facts = recall.read_facts(self._session)
        except RefusedError as error:
            heading, *faults = str(error).splitlines()
            return None, tuple(
                FACTS.finding("cluster", Remark("fail", fault)) for fault in faults or [heading]
            )
        except (HostUnreachableError, LoginRefusedError) as error:
            self._lose({error.host: error})
            return self._facts()
        reported = f"{facts.api} interface, cluster {facts.cluster_id}"
        return facts, (FACTS.finding("cluster", Remark("pass", reported)),)

    def _interface(self) -> Literal["v2", "v3"]:
        """Return the interface to ask through while the facts do not tell it, by the versions."""
        chosen = self._session.cluster.api
        if chosen != "auto":
            return chosen
        cluster = self._session.cluster
        expected = targets_of(cluster, assumed(cluster, "v3"))
        versions = [version(target) for target in expected if target.name in self._reached]
        self._ask(one.question for one in versions)
        for one in versions:
            with suppress(LookupError, ValueError):
                if one.read(self._answers).server.startswith("2."):
                    return "v2"
        return "v3"

    def _examine(self, facts: Facts, wanted: Callable[[Item], bool]) -> tuple[Finding, ...]:
        while True:
            reached = dict(self._reached)
            site = Site(self._session.cluster, facts, reached, datetime.now(UTC))
            items = filter(wanted, self._session.migration.preflight)
            rows = [(item, check) for item in items for check in item.make(site)]
            self._ask(question for _, check in rows for question in check.questions)
            if reached == self._reached:  # else a host was lost meanwhile: the others are judged without it
                return tuple(
                    finding for item, check in rows for finding in item.findings(check, self._answers)
                )

    def _gates(self, facts: Facts) -> Iterable[Finding]:
        try:
            runbook = recall.compile_there(self._session, facts)
        except RefusedError:  # a certificate that cannot be read: 'certificates' has said so
            return
        standing = {host: (state, runbook.gates[host, state]) for host, state in runbook.origins.items()}
        self._ask(question for _, gates in standing.values() for gate in gates for question in gate.questions)
        for host, (state, gates) in standing.items():
            for gate in gates:
                reason = gate.refusal(self._answers)
                yield of_gate(gate, state).finding(host, wrong(reason) if reason else fine("holds"))
