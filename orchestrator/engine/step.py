"""Taking one step: hand over, do the deed, wait for the gates; every event is on disk before its deed."""

from collections.abc import Iterable, Sequence

from orchestrator.engine import gate
from orchestrator.engine.events import HandedOver, Recorded, StepFailed, StepStarted, StepSucceeded, Waiting
from orchestrator.engine.journal import Journal
from orchestrator.engine.pace import Pace
from orchestrator.errors import LockedError, UnwritableError
from orchestrator.host import names
from orchestrator.host.checks import Check, Poll, Remark, wrong
from orchestrator.host.operations import Deed, Operation
from orchestrator.host.questions import Answers
from orchestrator.remote.executor import Executor
from orchestrator.runbook.model import Step


class DeedFailedError(Exception):
    """A deed's receipt says that its script failed on the host."""


def last_words(output: str) -> str:
    """Return the end of what a script printed, on one line; log lines in JSON only if there is no other."""
    lines = output.strip().splitlines()
    plain = [line for line in lines if not line.startswith("{")]
    return " / ".join((plain or lines)[-5:])


class Walker:
    """Takes steps for the members' machines. Raises DeedFailedError, or NotYetError when patience ends."""

    def __init__(self, executor: Executor, journal: Journal, pace: Pace) -> None:
        self._executor = executor
        self._journal = journal
        self._pace = pace
        if journal.progress.opened is None:
            raise ValueError("the journal has no header")
        self._run_id = journal.progress.opened.run  # names the deeds

    def take(self, step: Step, role: Poll | None) -> None:
        """Do a step's work; called by the member's machine before it moves.

        A step that was begun before is looked at first: if its gates hold it is done. In doubt, it keeps its
        attempt, so that a deed that reached the host is not done twice; failed, it is a new attempt. ``role``
        is what the member has to hand over first, if it has to go last.
        """
        began = self._pace.clock()
        progress = self._journal.progress
        unsettled = progress.unsettled.get(step.host)
        is_ours = unsettled is not None and unsettled.step == step.id
        is_adopted = is_ours and self.holds((*step.gates, *step.proof))
        if not is_adopted:
            self.hold(step.always)  # stop the line: nobody goes away while another is unwell
            if role and step.operations:
                self._hand_over(step, role)
            in_doubt = unsettled is not None and is_ours and not unsettled.is_failed
            self._do(step, progress.attempts.get(step.id, 0) + (0 if in_doubt else 1))
        took_s = round(self._pace.clock() - began, 3)
        self.record(
            StepSucceeded(
                step=step.id, host=step.host, target=step.target, took_s=took_s, is_adopted=is_adopted
            )
        )

    def find(self, poll: Poll, *, waits: bool) -> str | None:
        """Return the member that a poll finds; ``waits`` for there to be one, or look once."""
        if not waits:
            return gate.glance(self._executor, poll)
        return gate.find(self._executor, poll, self._pace.patience, self._pace.sleep, self._tell_waiting)

    def hold(self, gates: Sequence[Check], *, spent_s: float = 0.0) -> None:
        """Wait until all gates hold, with what is left of the patience."""
        patience = self._pace.patience.after(spent_s)
        gate.hold(self._executor, gates, patience, self._pace.sleep, self._tell_waiting)

    def holds(self, gates: Sequence[Check]) -> bool:
        """Look once whether all gates hold."""
        try:
            gate.look(self._executor, gates)
        except gate.NotYetError:
            return False
        return True

    def record(self, event: Recorded) -> None:
        """Put an event on disk, then tell it."""
        self._journal.append(event)
        self._pace.narrate(event)

    def _hand_over(self, step: Step, role: Poll) -> None:
        """Let a member that has to go last give that role away before it goes itself."""
        successor = next((name for name, operations in step.hand_overs.items() if operations), None)
        if successor is None:
            return  # nobody to take over, or no such command: etcd hands over by itself as it stops
        number = self._journal.progress.handovers.get(step.id, 0) + 1
        self.record(HandedOver(step=step.id, host=step.host, successor=successor, number=number))
        name = names.of_handover(self._run_id, step.round, step.host, number)
        self._perform(step, name, step.hand_overs[successor], successor)

        def judge(answers: Answers) -> Iterable[Remark]:
            name = role.read(answers)
            if name in {None, step.host}:
                yield wrong(f"it is {name or 'nobody'}")

        self.hold([Check(f"{step.host} handed over", role.facts, judge, name=role.name)])

    def _do(self, step: Step, attempt: int) -> None:
        self.record(
            StepStarted(
                step=step.id,
                host=step.host,
                source=step.source,
                target=step.target,
                attempt=attempt,
                operations=step.digest,
            )
        )
        try:
            if step.operations:
                self._perform(
                    step, names.of_attempt(self._run_id, step.round, step.host, attempt), step.operations
                )
            self.hold((*step.gates, *step.proof, *step.after))
        except (DeedFailedError, gate.NotYetError, LockedError) as error:
            self._fail(step, error)
            raise

    def _fail(self, step: Step, error: Exception) -> None:
        """Note a failure; where that fails, why the step failed is told all the same."""
        try:
            self.record(StepFailed(step=step.id, host=step.host, reason=str(error)))
        except UnwritableError as unwritable:
            raise UnwritableError(f"{step.id}: {error}; besides, {unwritable}") from error

    def _perform(
        self, step: Step, name: str, operations: tuple[Operation, ...], successor: str | None = None
    ) -> None:
        deed = Deed(
            id=name,
            host=step.host,
            operations=operations,
            deadline_s=step.deadline_s,
            step=step.id,
            successor=successor,
        )
        receipt = self._executor.perform(deed)
        if receipt.exit_status != 0:
            raise DeedFailedError(
                f"its script ended with {receipt.exit_status}: {last_words(receipt.output)}"
            )

    def _tell_waiting(self, reasons: tuple[str, ...]) -> None:
        self._pace.narrate(Waiting(reasons=reasons))
