"""How a gate is written: a function of a member that names its questions and judges their answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orchestrator.cluster.facts import Subject
from orchestrator.operations import Answers, Gate, Question

GateMaker = Callable[[Subject], Gate]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Questions, and how to judge them: ``judge`` yields each reason why the gate does not hold."""

    questions: tuple[Question, ...]
    judge: Callable[[Answers], Iterable[str]]


def gate(make: Callable[[Subject], Inquiry]) -> GateMaker:
    """Make a gate of a function; the function's name is the gate's, in words."""
    name = make.__name__.replace("_", " ")

    def maker(subject: Subject) -> Gate:
        inquiry = make(subject)

        def judge(answers: Answers) -> str | None:
            try:
                reasons = tuple(inquiry.judge(answers))
            except (ValueError, KeyError, IndexError) as error:
                # an answer that cannot be read is no proof of anything: the gate does not hold
                return f"cannot tell: {error}"
            return "; ".join(reasons) or None

        return Gate(f"{subject.name}: {name}", inquiry.questions, judge)

    maker.__name__ = make.__name__
    maker.__doc__ = make.__doc__
    return maker
