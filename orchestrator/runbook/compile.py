"""Compiling: a cluster, its facts and a migration become a runbook, forwards or backwards; pure."""

from collections.abc import Mapping

from orchestrator.cluster.facts import Facts, Subject
from orchestrator.cluster.model import Cluster
from orchestrator.migrations.table import HandOver, Migration, Round
from orchestrator.operations import Gate, Operation
from orchestrator.runbook.model import Runbook, Stage, Step


def compile_forward(cluster: Cluster, facts: Facts, migration: Migration) -> Runbook:
    """Compile the way from the migration's first state to its last."""
    return _compile(cluster, facts, migration, migration.rounds)


def compile_backward(cluster: Cluster, facts: Facts, migration: Migration) -> Runbook:
    """Compile the way back: the same rounds undone, the last one first."""
    backward = tuple(
        Round(
            name=f"undo-{round_.name}",
            source=round_.target,
            target=round_.source,
            order=round_.order,
            do=round_.undo,
            undo=round_.do,
            hand_over=round_.hand_back,
            hand_back=round_.hand_over,
        )
        for round_ in reversed(migration.rounds)
    )
    return _compile(cluster, facts, migration, backward)


def _compile(cluster: Cluster, facts: Facts, migration: Migration, rounds: tuple[Round, ...]) -> Runbook:
    subjects = tuple(Subject(cluster, facts, member) for member in cluster.members)
    states = (rounds[0].source, *(round_.target for round_ in rounds))
    gates = {
        (subject.member.name, state.name): tuple(make(subject) for make in state.gates)
        for subject in subjects
        for state in states
    }
    always = {subject.member.name: tuple(make(subject) for make in migration.always) for subject in subjects}
    return Runbook(
        cluster=cluster.name,
        migration=migration.name,
        members=tuple(subject.member.name for subject in subjects),
        origin=migration.states[0].name,
        states=tuple(state.name for state in states),
        stages=tuple(
            Stage(
                round=round_.name,
                source=round_.source.name,
                target=round_.target.name,
                order=round_.order.name,
                last=round_.order.last(subjects) if round_.order.last else None,
                steps=tuple(_step(round_, subject, gates, always) for subject in subjects),
            )
            for round_ in rounds
        ),
        gates=gates,
    )


def _step(
    round_: Round,
    subject: Subject,
    gates: Mapping[tuple[str, str], tuple[Gate, ...]],
    always: Mapping[str, tuple[Gate, ...]],
) -> Step:
    name = subject.member.name
    return Step(
        round=round_.name,
        member=name,
        source=round_.source.name,
        target=round_.target.name,
        # two actions of a round may need the same directory: once is enough
        operations=tuple(dict.fromkeys(operation for action in round_.do for operation in action(subject))),
        gates=gates[name, round_.target.name],
        always=always[name],
        hand_overs=_hand_overs(round_.hand_over, subject),
    )


def _hand_overs(hand_over: HandOver | None, subject: Subject) -> Mapping[str, tuple[Operation, ...]]:
    if hand_over is None:
        return {}
    return {other.member.name: tuple(hand_over(subject, other)) for other in subject.others}
