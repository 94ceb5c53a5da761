"""Units of hosts, and the configuration files that they name, looked at in two goes."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from orchestrator.errors import RefusedError
from orchestrator.etcd import files
from orchestrator.etcd.install import theirs, unit
from orchestrator.etcd.install.unit import Unit
from orchestrator.host.questions import Answers, Fact, Question
from orchestrator.plan.facts import Target

Value = TypeVar("Value")
Look = Callable[[Iterable[Question]], Answers]
Read = tuple[Target, Unit, Mapping[str, str]]


def read(targets: Iterable[Target], look: Look) -> tuple[Read, ...]:
    """Return each host with its unit, and the texts of its configuration files by their paths."""
    units = [(target, unit.of(target)) for target in targets]
    answers = look(fact.question for _, fact in units)
    found = [
        (target, _read(target, f"the unit {target.etcd.service}.service", fact, answers))
        for target, fact in units
    ]
    texts = {
        target.name: files.texts(target, [path])
        for target, one in found
        if (path := theirs.configuration(target, one))
    }
    answers = look(fact.question for fact in texts.values()) if texts else {}
    what = "etcd's configuration file"
    return tuple(
        (target, one, _read(target, what, texts[target.name], answers) if target.name in texts else {})
        for target, one in found
    )


def _read(target: Target, what: str, fact: Fact[Value], answers: Answers) -> Value:
    try:
        return fact.read(answers)
    except ValueError as error:
        raise RefusedError(f"{target.name}: cannot read {what}: {error}") from error
