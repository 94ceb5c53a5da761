"""One line of a list of checks, and what it finds: name, place, verdict, evidence, reason and fix."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from orchestrator.etcd.api.words import hindrance
from orchestrator.etcd.checks.gate import HostCheck
from orchestrator.etcd.checks.site import BASTION, Site
from orchestrator.host.checks import Check, Remark, Verdict
from orchestrator.host.questions import Answers


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found in one place: a host's name, ``cluster`` or ``bastion``."""

    check: str
    where: str
    verdict: Verdict
    evidence: str
    why: str
    fix: str
    passes_by: bool = False


SiteCheck = Callable[[Site], Iterable[Check]]


def on_each_host(make: HostCheck) -> SiteCheck:
    """Make the check of every host that was reached out of one for a single host."""
    return lambda site: map(make, site.hosts)


def on_each_etcd(make: HostCheck) -> SiteCheck:
    """Make the same of every host that was reached and runs etcd."""
    return lambda site: map(make, site.etcd_hosts)


def on_the_bastion(judge: Callable[[Site], Iterable[Remark]]) -> SiteCheck:
    """Make a check out of a judgement of what lies on the bastion, for which nobody is asked."""

    def make(site: Site) -> Iterable[Check]:
        found = tuple(judge(site))
        yield Check(BASTION, (), lambda _: found)

    return make


def _nothing(_site: Site) -> Iterable[Check]:
    return ()


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist.

    ``looks`` says at what, ``why`` it matters, ``fix`` what helps: a sentence each. ``make`` makes
    the checks, one for each place; none where they are what comes of connecting, of the facts or of gates.
    ``on_resume`` says that what it finds can come up in the middle of a migration too, and that gates would
    show it only behind the next restart; ``on_rollback`` that it is looked at before a rollback alone.
    ``passes_by`` says that it may be over by itself in a moment.
    """

    name: str
    looks: str
    why: str
    fix: str
    make: SiteCheck = _nothing
    on_resume: bool = False
    on_rollback: bool = False
    passes_by: bool = False

    def finding(self, where: str, remark: Remark) -> Finding:
        """Make a finding of this check."""
        fix = remark.fix or self.fix
        return Finding(self.name, where, remark.verdict, remark.evidence, self.why, fix, self.passes_by)

    def findings(self, check: Check, answers: Answers) -> tuple[Finding, ...]:
        """Judge one check in its place."""
        remarks = check.judge(answers)
        reported = (hindrance(answers[question]) for question in check.questions if question in answers)
        first = next((one for one in reported if one and one.check != self.name), None)
        if first:  # what this check would advise is beside the point until that is out of the way
            fix = f"what the check '{first.check}' prints comes first; then check again"
            remarks = tuple(one if one.verdict == "pass" else replace(one, fix=fix) for one in remarks)
        return tuple(self.finding(check.where, remark) for remark in remarks)


LOGIN = Item(
    "login",
    looks="a connection to each host, its host key, the login, and becoming root",
    why="a host that cannot be reached cannot be moved, and all of them have to be",
    fix="the evidence names the host key, the key that was refused, or the sudo rule that is missing",
)
FACTS = Item(
    "facts",
    looks="what a run needs to know about every host to plan its steps",
    why="a rollback has to know the original settings",
    fix="fix what the evidence names, in the plan or on the host, and check again",
)


def of_gate(gate: Check, state: str) -> Item:
    """Make the line of a gate of a migration's first state."""
    return Item(
        f"gate: {gate.name}",
        looks="one gate of the migration's first state",
        why=f"every host has to stand in '{state}' before the first step, and this is part of what it means",
        fix=gate.fix,
        passes_by=True,
    )
