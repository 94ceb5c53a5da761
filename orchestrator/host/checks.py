"""What is true of a host: one kind of check, for a state's gates, before a run, for drift and for status."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.host.questions import Answers, Fact, Question

FURTHEST = 10**12  # whoever says that it is further behind is not believed
Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Remark:
    """What a check says of its place.

    ``fix`` is what helps, and stands in for the list's own where the check knows better. ``path`` is the file
    that somebody's hand has changed, where that is what was found.
    """

    verdict: Verdict
    evidence: str
    fix: str = ""
    path: str = ""


def fine(evidence: str) -> Remark:
    """All is well, and this is how that is known."""
    return Remark("pass", evidence)


def doubtful(evidence: str, fix: str = "") -> Remark:
    """A run may begin, but somebody should look at this."""
    return Remark("warn", evidence, fix)


def wrong(evidence: str, fix: str = "") -> Remark:
    """It does not hold: nothing may build on it."""
    return Remark("fail", evidence, fix)


def changed(path: str, reason: str) -> Remark:
    """A file is not as it has to be; ``reason`` continues a sentence that its path begins."""
    return Remark("fail", f"{path} {reason}", path=path)


Predicate = Callable[[Answers], Iterable[Remark]]


@dataclass(frozen=True, slots=True)
class Check:
    """A pure predicate over facts: ``where`` is a host's name, ``cluster`` or ``bastion``.

    ``predicate`` says what it finds in the answers; nothing but passes means that the check holds.
    ``manual_changes`` says, of the same answers, only what was changed by hand, which can be seen whether or
    not anything runs; None where the check has nothing to say of that. Either may raise for an answer that it
    cannot read. ``fix`` is what helps where it does not hold, if that is the same whatever it finds.
    ``takes_s`` is how long it may take to hold although all is well, beside anybody's patience. ``behind``
    says of the same answers, beside the verdict, how far hosts are behind the one that is ahead.
    """

    where: str
    facts: tuple[Fact[Any], ...]
    predicate: Predicate = field(compare=False)
    manual_changes: Predicate | None = field(compare=False, default=None)
    name: str = ""
    fix: str = ""
    takes_s: float = 0.0
    behind: Callable[[Answers], Mapping[str, int]] | None = field(compare=False, default=None)

    @property
    def title(self) -> str:
        """Where and what."""
        return f"{self.where}: {self.name}"

    @property
    def questions(self) -> tuple[Question, ...]:
        """What has to be asked, equal questions once."""
        return tuple(dict.fromkeys(fact.question for fact in self.facts))

    def judge(self, answers: Answers) -> tuple[Remark, ...]:
        """Say what is found; what was not answered, or cannot be read, proves nothing: a fail."""
        unheard = {question.host for question in self.questions if question not in answers}
        if unheard:
            return (wrong(f"no answer from {', '.join(sorted(unheard))}"),)
        try:
            return tuple(self.predicate(answers))
        except (ValueError, LookupError, TypeError, AttributeError) as error:  # an answer can be anything
            return (wrong(f"cannot tell: {error}"),)

    def measured(self, answers: Answers) -> Mapping[str, int]:
        """Return how far hosts are behind, as far as the answers say what can be true."""
        try:
            counts = self.behind(answers) if self.behind else {}
        except (ValueError, LookupError, TypeError, AttributeError):  # an answer can be anything
            return {}
        return {host: count for host, count in counts.items() if 0 <= count <= FURTHEST}

    def refusal(self, answers: Answers) -> str | None:
        """Return why the check does not hold, or None if it does."""
        return "; ".join(one.evidence for one in self.judge(answers) if one.verdict == "fail") or None


@dataclass(frozen=True, slots=True)
class Poll:
    """Facts that name a member, or None if there is no such member."""

    name: str
    facts: tuple[Fact[Any], ...]
    read: Callable[[Answers], str | None] = field(compare=False)

    @property
    def questions(self) -> tuple[Question, ...]:
        """What has to be asked."""
        return tuple(fact.question for fact in self.facts)
