"""A runbook: every step of a migration of one cluster, complete before the first change."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from orchestrator.etcd.install import secret_values
from orchestrator.host import names
from orchestrator.host.checks import Check, Poll
from orchestrator.host.operations import EditFile, Operation, ReplaceFile, Run, Secret, Write
from orchestrator.migrations.table import DEADLINE_S, Advice


@dataclass(frozen=True, slots=True)
class Step:
    """One round for one host.

    ``gates`` are those of the state it leads to; ``always`` must hold before it begins, and ``after`` beside
    the gates before it is done. ``proof`` has to hold once behind its job, and is no part of the state.
    ``hand_overs`` holds, by the name of the successor, what to do first if this member is the one that has to
    go last. ``deadline_s`` bounds the step's script on the host, in seconds. ``away`` holds of a host that a
    step has taken away: there ``always`` need not hold before this one, for the others may lack that host.
    ``before`` has to hold when it begins, unless somebody insists.
    ``repeats`` says that a step which began is never taken as done without its job.
    ``lost`` holds of one that has nothing left to take away: it need not hold there, either.
    """

    round: str
    host: str
    source: str
    target: str
    operations: tuple[Operation, ...]
    gates: tuple[Check, ...]
    always: tuple[Check, ...]
    after: tuple[Check, ...]
    hand_overs: Mapping[str, tuple[Operation, ...]]
    proof: tuple[Check, ...] = ()
    before: tuple[Check, ...] = ()
    away: tuple[Check, ...] = ()
    lost: tuple[Check, ...] = ()
    repeats: bool = False
    deadline_s: float = DEADLINE_S

    @property
    def id(self) -> str:
        """Name of the step, e.g. accept/server1."""
        return names.of_step(self.round, self.host)

    @property
    def restarts(self) -> bool:
        """Whether it takes the member away for a moment."""
        return any(isinstance(operation, Run) and operation.restarts_unit for operation in self.operations)

    @property
    def stays_on_its_host(self) -> bool:
        """Whether it takes no member away, and changes nothing that others share."""
        runs = (operation for operation in self.operations if isinstance(operation, Run))
        return not any(run.restarts_unit or run.asks_etcd for run in runs)

    @property
    def digest(self) -> str:
        """SHA-256 over everything that the step would do, in hex; secrets count by their own digest."""
        reported = [
            *(self.round, self.host, self.source, self.target),
            *map(describe, self.operations),
            *([name, *map(describe, operations)] for name, operations in self.hand_overs.items()),
        ]
        return _sha256(reported)


@dataclass(frozen=True, slots=True)
class Stage:
    """A round, compiled: a step for each host of its role, in the plan's order.

    ``last`` finds who has to go last; ``waits`` says whether there must be one. ``advice`` is
    for those whose run stops in it. ``is_together`` is as its way has it. Hosts take it one after the other
    unless ``at_once``.
    """

    round: str
    source: str
    target: str
    order: str
    last: Poll | None
    waits: bool
    advice: Advice | None
    steps: tuple[Step, ...]
    is_together: bool = False
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Runbook:
    """All rounds in order.

    ``tracks`` holds the states of each host in the order in which it passes through them here, ``origins``
    where each stood before the migration's first change, and ``gates`` what must be true: (host, state).
    ``standing`` must be true of hosts that were left in a state, for a run to go on from there: on the way
    back only that nobody has changed them by hand, for what does not work may be the reason to go back.
    ``undoing`` are the steps that undo its own, by their ids: some rounds have to be taken anew.
    ``members`` are the members' names by their IDs.
    """

    cluster: str
    migration: str
    risk: str
    losses: str
    tracks: Mapping[str, tuple[str, ...]]
    origins: Mapping[str, str]
    stages: tuple[Stage, ...]
    gates: Mapping[tuple[str, str], tuple[Check, ...]]
    standing: Mapping[tuple[str, str], tuple[Check, ...]]
    undoing: Mapping[str, Step]
    members: Mapping[str, str] = field(default_factory=dict)

    @property
    def finals(self) -> Mapping[str, str]:
        """Where every host stands after the last round."""
        return {host: track[-1] for host, track in self.tracks.items()}

    @property
    def digest(self) -> str:
        """SHA-256 over everything that the runbook would do, in its order, in hex."""
        # whether hosts wait for each other is no part of what is done: as it was before they could go at once
        reported = [
            [
                stage.round,
                "one by one" if stage.at_once else stage.order,
                *(step.digest for step in stage.steps),
            ]
            for stage in self.stages
        ]
        return _sha256([self.cluster, self.migration, dict(self.tracks), reported])

    @property
    def outline(self) -> str:
        """SHA-256 over the same, but for what a rehearsal has of its own: certificates, IDs and secrets."""
        reported = [
            [step.id, *(self._outlined(operations) for operations in (step.operations, *_ordered(step)))]
            for step in self.steps.values()
        ]
        return _sha256([self.cluster, self.migration, dict(self.tracks), reported])

    def _outlined(self, operations: tuple[Operation, ...]) -> list[dict[str, object]]:
        return [outlined(operation, self.members) for operation in operations]

    @property
    def steps(self) -> Mapping[str, Step]:
        """Every step by its id, in the order of the rounds."""
        return {step.id: step for stage in self.stages for step in stage.steps}

    def step(self, step_id: str) -> Step:
        """Return the step of that id, on its way or back."""
        return self.steps.get(step_id) or self.undoing[step_id]


def describe(operation: Operation) -> dict[str, object]:
    """Return an operation as plain data that can be shown and hashed: a secret only by its SHA-256."""
    reported: dict[str, object] = {"operation": type(operation).__name__}
    reported |= {item.name: getattr(operation, item.name) for item in fields(operation)}
    if isinstance(operation, Write) and isinstance(operation.content, Secret):
        reported["content"] = f"secret sha256:{operation.sha256}"
    if isinstance(operation, ReplaceFile):
        del reported["content"]  # its digest is ``after``
    if isinstance(operation, Run):  # not of a password: it may be another, and could be tried out on a digest
        reported["environment"] = [each for each in operation.environment if isinstance(each[1], str)]
    return reported


def holds_material(operation: Operation) -> bool:
    """Whether an operation writes a certificate or a key."""
    return isinstance(operation, Write) and (
        isinstance(operation.content, Secret) or "-----BEGIN " in operation.content
    )


def outlined(operation: Operation, members: Mapping[str, str]) -> dict[str, object]:
    """Return what ``describe`` does, without certificates and secrets, and with members' names for IDs."""
    reported = describe(operation)
    if isinstance(operation, Write):
        text = "material" if holds_material(operation) else secret_values.without(operation.text)[0]
        return {**reported, "content": text}
    if isinstance(operation, EditFile):  # where the pieces stand, and what else does, is each host's own
        pieces = [
            (secret_values.without(one.old)[0], secret_values.without(one.new)[0]) for one in operation.edits
        ]
        return {"operation": "EditFile", "path": operation.path, "edits": pieces}
    if isinstance(operation, ReplaceFile):
        return {"operation": "ReplaceFile", "path": operation.path}
    if isinstance(operation, Run) and members:
        ids = re.compile(rf"\b(?:{'|'.join(map(re.escape, members))})\b")
        words = [ids.sub(lambda match: members[match[0]], word) for word in operation.argv]
        return {**reported, "argv": words}
    return reported


def _ordered(step: Step) -> Iterable[tuple[Operation, ...]]:
    return (operations for _, operations in sorted(step.hand_overs.items()))


def _sha256(reported: object) -> str:
    return hashlib.sha256(json.dumps(reported, sort_keys=True).encode()).hexdigest()
