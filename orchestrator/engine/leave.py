"""Whether a step may begin: what the operator, clients outside, the witness and the canary have to say."""

from dataclasses import replace
from functools import partial
from math import inf

from orchestrator.engine import wait
from orchestrator.engine.context import RunContext
from orchestrator.engine.looks import FRESH_S, Looks
from orchestrator.engine.spans import Spans
from orchestrator.errors import RunInterruptedError
from orchestrator.host.checks import Check
from orchestrator.remote.executor import Executor
from orchestrator.runbook.model import Step


class ObjectionError(Exception):
    """The witness of the run objects to another step."""


class Leave:
    """Asks everybody who may stop a run before a step that has not begun."""

    def __init__(self, executor: Executor, context: RunContext, spans: Spans, looks: Looks) -> None:
        self._executor = executor
        self._context = context
        self._spans = spans
        self._looks = looks
        self._insisted = ""  # the round in which somebody went on all the same

    def wait_for_those_outside(self, step: Step) -> None:
        """Wait until nobody outside loses by a step, or go on because somebody insists: once for a round.

        A host that cannot be asked says nothing of them: nobody can insist on that.
        """
        if not step.before or self._insisted == step.round:
            return
        patience, looked_s, age_s = self._context.patience, 0.0, 0.0

        def ask(gate: Check, max_age_s: float) -> None:
            nonlocal looked_s
            self.refuse_to_begin(step)
            looked_s = self._context.clock()
            wait.look(self._executor, (gate,), max_age_s)

        try:
            for gate in step.before:
                bearing = patience.longer(gate.takes_s) if self._context.waits else patience.after(inf)
                with self._spans.wait("outside") as report:
                    wait.until(partial(ask, gate), bearing, self._context.sleep, report, age_s)
                # the next gate is judged by the look at which this one held, and by no older one
                age_s = self._context.clock() - looked_s + FRESH_S
        except wait.UnseenError:
            raise
        except wait.NotYetError as error:
            # all of them, not those of the first gate alone
            refusals = self._executor.refusals(step.before) or error.refusals
            if not self._context.insist("; ".join(map(str, refusals))):
                helped = (replace(one, reason=f"{one.reason}. {one.fix}") for one in error.refusals)
                raise wait.NotYetError(tuple(helped)) from error
            self._insisted = step.round
            self._spans.cut_off(tuple(map(str, refusals)))
        self.refuse_to_begin(step)

    def refuse_to_begin(self, step: Step) -> None:
        """Stop before a step, if somebody has asked for that, or the witness objects."""
        if self._context.should_stop():
            raise RunInterruptedError(f"stopped before {step.id}, as asked")
        self.heed(f"stopped before {step.id}")

    def heed(self, where: str) -> None:
        """Stop if the witness objects."""
        reason = self._context.witness.objection()
        if reason:
            raise ObjectionError(f"{where}: {reason}")

    def is_refused(self) -> bool:
        """Whether no further step may begin."""
        return self._context.should_stop() or bool(self._context.witness.objection())

    def ask(self, step: Step) -> None:
        """Stop before a step that the person who is asked does not want to be taken now."""
        if self._context.permits is not None and not self._context.permits(step):
            raise RunInterruptedError(f"stopped before {step.id}, as you said")

    def soak(self, canary: Step, following: Step) -> None:
        """Look at a canary's gates for its time; raises NotYetError as soon as one does not hold."""
        gates, ends = (*canary.gates, *canary.after), self._context.clock() + self._context.soak_s
        with self._spans.wait("gates", canary.host) as report:
            while (left_s := ends - self._context.clock()) > 0:
                self.refuse_to_begin(following)
                try:
                    wait.look(self._executor, gates)
                except wait.UnseenError:  # a host that cannot be asked says nothing: that is waited for
                    self._looks.hold(gates, "gates", canary.host)
                report(
                    (f"{canary.host} is the canary: its gates hold, and are watched for {left_s:.0f} s more",)
                )
                self._context.sleep(min(left_s, self._context.patience.pause_s or left_s))
