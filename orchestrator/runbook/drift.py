"""What hands have changed on a host, apart from what a migration does there and from what fails; pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from orchestrator.operations import Answers, Deviation, Gate


def alone(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """Reduce a state's gates to what hands have changed; those that say nothing of that are left out."""
    return tuple(replace(gate, judge=_told(gate.drift)) for gate in gates if gate.drift)


def half_way(host: str, step: str, before: Iterable[Gate], behind: Iterable[Gate]) -> Gate:
    """Make a gate of a host on which a step was begun and did not succeed: nothing may be done over a change.

    A file is put in place whole or not at all, so each is as the state before the step has it, or as the one
    behind it has it; anything else is the work of hands. ``before`` and ``behind`` are these states' gates.
    """
    ends = (tuple(before), tuple(behind))

    def judge(answers: Answers) -> str | None:
        try:
            old, new = (_by_path(_all(gates, answers)) for gates in ends)
        except (ValueError, KeyError) as error:
            return f"cannot tell: {error}"
        return "; ".join(reason for path, reason in new.items() if path in old) or None

    questions = tuple(
        dict.fromkeys(
            question for gates in ends for gate in gates if gate.drift for question in gate.questions
        )
    )
    return Gate(f"{host}: half way through {step}", questions, judge)


def _told(drift: Callable[[Answers], Iterable[Deviation]]) -> Callable[[Answers], str | None]:
    def judge(answers: Answers) -> str | None:
        try:
            return "; ".join(map(str, drift(answers))) or None
        except (ValueError, KeyError) as error:
            return f"cannot tell: {error}"

    return judge


def _all(gates: Iterable[Gate], answers: Answers) -> Iterable[Deviation]:
    return (found for gate in gates if gate.drift for found in gate.drift(answers))


def _by_path(found: Iterable[Deviation]) -> Mapping[str, str]:
    reasons: dict[str, str] = {}
    for one in found:
        reasons.setdefault(one.path, str(one))
    return reasons
