"""What a run sees of the hosts: waiting for gates, for a leader, and for the others to be well."""

from collections.abc import Sequence

from orchestrator.engine import wait
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import SpanKind
from orchestrator.engine.spans import Spans
from orchestrator.host.checks import Check, Poll
from orchestrator.remote.executor import Executor

_LASTING_LOOKS, _LASTING_PAUSE_S = 3, 2.5  # an election takes 1 to 2 s by etcd's defaults
# What was seen behind one step need not be asked again before the next, unless that takes a member away.
FRESH_S = 1.0


class Looks:
    """Looks at hosts with the run's patience, and notes what it waited for."""

    def __init__(self, executor: Executor, context: RunContext, spans: Spans) -> None:
        self._executor = executor
        self._context = context
        self._spans = spans
        self._lasting: dict[tuple[Check, ...], tuple[int, float]] = {}  # looks in a row, and when

    def forget(self) -> None:
        """Hold nothing for lasting any more: a job changes what is seen."""
        self._lasting.clear()

    def find(self, poll: Poll, *, waits: bool) -> str | None:
        """Return the member that a poll finds; ``waits`` for there to be one, or look once."""
        if not waits:
            return wait.glance(self._executor, poll, FRESH_S)
        with self._spans.wait("leader") as report:
            return wait.find(
                self._executor, poll, self._context.patience, self._context.sleep, report, FRESH_S
            )

    def hold(
        self, gates: Sequence[Check], kind: SpanKind, host: str | None = None, *, spent_s: float = 0.0
    ) -> None:
        """Wait until all gates hold, with what is left of the patience; ``kind`` says what for."""
        patience = self._context.patience.after(spent_s)
        with self._spans.wait(kind, host) as report:
            wait.hold(self._executor, gates, patience, self._context.sleep, report)

    def holds(self, gates: Sequence[Check]) -> bool:
        """Look once whether all gates hold."""
        return self.refusal(gates) is None

    def refusal(self, gates: Sequence[Check]) -> wait.NotYetError | None:
        """Look once; return why gates do not hold, or None."""
        try:
            wait.look(self._executor, gates)
        except wait.NotYetError as error:
            return error
        return None

    def are_lasting(self, gates: tuple[Check, ...]) -> bool:
        """Look whether gates hold for longer than an election takes, in which nobody is well for a moment.

        To ask again is one more look, as long as no pause between two looks has grown longer.
        """
        if not gates:
            return False
        looks, looked_s = self._lasting.pop(gates, (0, 0.0))
        if self._context.clock() - looked_s > _LASTING_PAUSE_S:
            looks = 0
        while self.holds(gates):
            looks += 1
            if looks >= _LASTING_LOOKS:
                self._lasting[gates] = (looks, self._context.clock())
                return True
            self._context.sleep(_LASTING_PAUSE_S)
        return False

    def stop_the_line(
        self, always: Sequence[Check], lost: tuple[Check, ...] = (), max_age_s: float = FRESH_S
    ) -> None:
        """Wait until everybody is well, or until those that are ``lost`` were seen to be away for good."""

        def ask(max_age_s: float) -> None:
            try:
                wait.look(self._executor, always, max_age_s)
            except wait.NotYetError:
                if not self.are_lasting(lost):
                    raise

        with self._spans.wait("members") as report:
            wait.until(ask, self._context.patience, self._context.sleep, report, max_age_s)
