"""How a gate is written: a function of a member that names its questions and judges their answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orchestrator.cluster.facts import Subject
from orchestrator.operations import Answers, Deviation, Gate, Question

Judge = Callable[[Answers], Iterable[str | Deviation]]
GateMaker = Callable[[Subject], Gate]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Questions, and how to judge them: ``judge`` yields each reason why the gate does not hold.

    ``drift`` yields those of them that somebody's hand has made, and no fault: see operations.Gate.
    """

    questions: tuple[Question, ...]
    judge: Judge
    drift: Callable[[Answers], Iterable[Deviation]] | None = None


def gate(make: Callable[[Subject], Inquiry]) -> GateMaker:
    """Make a gate of a function; the function's name is the gate's, in words."""
    name = make.__name__.replace("_", " ")

    def maker(subject: Subject) -> Gate:
        inquiry = make(subject)
        return Gate(f"{subject.name}: {name}", inquiry.questions, _whole(inquiry.judge), inquiry.drift)

    maker.__name__ = make.__name__
    maker.__doc__ = make.__doc__
    return maker


def _whole(judge: Judge) -> Callable[[Answers], str | None]:
    def whole(answers: Answers) -> str | None:
        try:
            reasons = tuple(map(str, judge(answers)))
        except (ValueError, KeyError, IndexError) as error:
            # an answer that cannot be read is no proof of anything: the gate does not hold
            return f"cannot tell: {error}"
        return "; ".join(reasons) or None

    return whole
