"""Compiling: a cluster, its facts and a migration become a runbook, forwards or backwards; pure."""

from collections.abc import Mapping

from orchestrator.host.operations import Operation
from orchestrator.migrations.orders import in_turn, one_by_one
from orchestrator.migrations.table import ROLES, HandOver, Migration, Role, Round, hosts_of
from orchestrator.plan.facts import Facts, Target
from orchestrator.plan.model import Cluster
from orchestrator.runbook import drift
from orchestrator.runbook.model import Runbook, Stage, Step


def compile_forward(cluster: Cluster, facts: Facts, migration: Migration) -> Runbook:
    """Compile the way from the migration's first states to its last."""
    own = migration.of(cluster)
    return _Compilation(cluster, facts, own, own).runbook()


def compile_backward(cluster: Cluster, facts: Facts, migration: Migration) -> Runbook:
    """Compile the way back: the same rounds undone, the last one first."""
    own = migration.of(cluster)
    return _Compilation(cluster, facts, own, own.reversed).runbook()


class _Compilation:
    """One compilation of a way, forwards or backwards, through a migration."""

    def __init__(self, cluster: Cluster, facts: Facts, migration: Migration, way: Migration) -> None:
        self._cluster = cluster
        self._facts = facts
        self._migration = migration
        self._way = way
        self._targets: Mapping[Role, tuple[Target, ...]] = {
            role: tuple(
                Target(cluster, facts, host) for host in hosts_of(cluster, role) if migration.rounds_of(role)
            )
            for role in ROLES
        }
        self._gates = {
            (target.name, state.name): tuple(make(target) for make in state.gates)
            for role in ROLES
            for target in self._targets[role]
            for state in way.track(role)
        }

    def runbook(self) -> Runbook:
        """Put the rounds together; one that no host takes is left out."""
        return Runbook(
            cluster=self._cluster.name,
            migration=self._migration.name,
            risk=self._migration.risk,
            losses=self._way.losses,
            tracks=self._by_host(self._way),
            origins={host: track[0] for host, track in self._by_host(self._migration).items()},
            stages=self._stages(self._way),
            gates=self._gates,
            standing=self._gates
            if self._way is self._migration
            else {place: drift.alone(gates) for place, gates in self._gates.items()},
            undoing={
                step.id: step
                for stage in (self._stages(self._way.reversed) if self._way is self._migration else ())
                for step in stage.steps
            },
            members={found.id: name for name, found in self._facts.members.items()},
        )

    def _stages(self, way: Migration) -> tuple[Stage, ...]:
        return tuple(self._stage(round_) for round_ in way.rounds if self._targets[round_.role])

    def _by_host(self, way: Migration) -> Mapping[str, tuple[str, ...]]:
        return {
            target.name: tuple(state.name for state in way.track(role))
            for role in ROLES
            for target in self._targets[role]
        }

    def _stage(self, round_: Round) -> Stage:
        targets = self._targets[round_.role]
        steps = tuple(self._step(round_, target) for target in targets)
        order = round_.order
        if order.at_once and not all(step.stays_on_its_host for step in steps):
            order = one_by_one if any(step.restarts for step in steps) else in_turn
        return Stage(
            round=round_.name,
            source=round_.source.name,
            target=round_.target.name,
            order=order.name,
            last=order.last(targets) if order.last else None,
            waits=order.waits,
            advice=round_.there.advice,
            steps=steps,
            is_together=round_.there.is_together,
            at_once=order.at_once,
        )

    def _step(self, round_: Round, target: Target) -> Step:
        name, way = target.name, round_.there
        usual = tuple(make(target) for make in self._migration.always)
        return Step(
            round=round_.name,
            host=name,
            source=round_.source.name,
            target=round_.target.name,
            # two actions of a round may need the same directory: once is enough
            operations=tuple(
                dict.fromkeys(operation for action in way.actions for operation in action(target))
            ),
            gates=(
                self._gates[name, round_.target.name]
                if way.gates is None
                else tuple(make(target) for make in way.gates)
            ),
            # a round with gates of its own heals what is broken: the others need not be well behind each step
            always=usual if way.always is None else tuple(make(target) for make in way.always),
            after=usual if way.always is None else (),
            hand_overs=_hand_overs(way.hand_over, target),
            proof=tuple(make(target) for make in way.proof),
            before=tuple(make(target) for make in way.before),
            away=tuple(make(target) for make in way.away),
            lost=tuple(make(target) for make in way.lost),
            repeats=way.repeats,
            deadline_s=way.deadline_s,
        )


def _hand_overs(hand_over: HandOver | None, target: Target) -> Mapping[str, tuple[Operation, ...]]:
    if hand_over is None:
        return {}
    return {other.name: tuple(hand_over(target, other)) for other in target.others}
