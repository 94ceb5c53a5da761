"""What was changed by hand on a host, apart from what a migration does there and from what fails; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answers


def alone(gates: Iterable[Check]) -> tuple[Check, ...]:
    """Reduce a state's gates to manual changes; those that say nothing of that are left out."""
    return tuple(replace(gate, predicate=gate.manual_changes) for gate in gates if gate.manual_changes)


def half_way(host: str, step: str, before: Iterable[Check], behind: Iterable[Check]) -> Check:
    """Make the check of a host on which a step was begun and did not succeed: no change is overwritten.

    A file is put in place whole or not at all, so each is as the state before the step has it, or as the one
    behind it has it; anything else is a manual change. ``before`` and ``behind`` are these states' gates.
    """
    ends = (tuple(before), tuple(behind))

    def judge(answers: Answers) -> Iterable[Remark]:
        old, new = (_by_path(gates, answers) for gates in ends)
        yield from (wrong(reason) for path, reason in new.items() if path in old)

    facts = (fact for gates in ends for gate in gates if gate.manual_changes for fact in gate.facts)
    return Check(host, tuple(dict.fromkeys(facts)), judge, name=f"half way through {step}")


def _by_path(gates: Iterable[Check], answers: Answers) -> Mapping[str, str]:
    reasons: dict[str, str] = {}
    for gate in gates:
        for remark in gate.manual_changes(answers) if gate.manual_changes else ():
            if not remark.path:
                continue  # of no file, and so nothing that either end could have
            reasons.setdefault(remark.path, remark.evidence)
    return reasons
