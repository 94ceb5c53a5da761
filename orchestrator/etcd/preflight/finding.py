"""What a check is and what it finds: a name, a place, a verdict, the evidence, the reason and the mend."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from orchestrator.cluster.facts import Subject
from orchestrator.etcd.api.words import hindrance
from orchestrator.etcd.preflight.site import Site
from orchestrator.operations import Answers, Question

Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found in one place: a host's name, ``cluster`` or ``bastion``."""

    check: str
    where: str
    verdict: Verdict
    evidence: str
    why: str
    mend: str
    passes_by: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """What a judge says of its place; ``mend`` stands in for the check's own where it knows better."""

    verdict: Verdict
    evidence: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """A check in one place: its questions, and a pure judge of their answers."""

    where: str
    questions: tuple[Question, ...]
    judge: Callable[[Answers], Iterable[Remark]]


def fine(evidence: str) -> Remark:
    """All is well, and this is how that is known."""
    return Remark("pass", evidence)


def doubtful(evidence: str, mend: str = "") -> Remark:
    """A run may begin, but somebody should look at this."""
    return Remark("warn", evidence, mend)


def wrong(evidence: str, mend: str = "") -> Remark:
    """No run may begin."""
    return Remark("fail", evidence, mend)


Maker = Callable[[Site], Iterable[Examination]]


def on_each_host(make: Callable[[Site, Subject], Examination]) -> Maker:
    """Make a maker for all hosts that were reached out of one for a single host."""
    return lambda site: tuple(make(site, subject) for subject in site.hosts)


def _nothing(_site: Site) -> Iterable[Examination]:
    return ()


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist.

    ``looks`` says at what, ``why`` it matters, ``mend`` what helps: a sentence each. ``make`` makes the
    examinations; it makes none where the check is what comes of connecting, of the facts or of gates.
    ``on_resume`` says that what it finds can come up in the middle of a migration too, and that gates would
    show it only behind the next restart. ``passes_by`` says that it may be over by itself in a moment.
    """

    name: str
    looks: str
    why: str
    mend: str
    make: Maker = _nothing
    on_resume: bool = False
    passes_by: bool = False

    def finding(self, where: str, remark: Remark) -> Finding:
        """Make a finding of this check."""
        mend = remark.mend or self.mend
        return Finding(self.name, where, remark.verdict, remark.evidence, self.why, mend, self.passes_by)

    def findings(self, examination: Examination, answers: Answers) -> tuple[Finding, ...]:
        """Judge one examination; a question without an answer, or one that cannot be read, is a failure."""
        unheard = {question.host for question in examination.questions if question not in answers}
        if unheard:
            remarks: tuple[Remark, ...] = (wrong(f"no answer from {', '.join(sorted(unheard))}"),)
        else:
            try:
                remarks = tuple(examination.judge(answers))
            except (ValueError, LookupError, TypeError, AttributeError) as error:  # an answer can be anything
                remarks = (wrong(f"cannot tell: {error}"),)
        told = (hindrance(answers[question]) for question in examination.questions if question in answers)
        first = next((one for one in told if one and one.check != self.name), None)
        if first:  # what this check would advise is beside the point until that is out of the way
            fix = f"what the check '{first.check}' prints comes first; then check again"
            remarks = tuple(one if one.verdict == "pass" else replace(one, mend=fix) for one in remarks)
        return tuple(self.finding(examination.where, remark) for remark in remarks)
