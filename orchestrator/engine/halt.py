"""What is said when a run stops: why, where the host stands, and whether the cluster is healthy."""

from collections.abc import Iterable

from orchestrator.engine import wait
from orchestrator.engine.context import RunContext
from orchestrator.engine.looks import Looks
from orchestrator.engine.state_file import EventLog
from orchestrator.errors import (
    HostUnreachableError,
    LoginRefusedError,
    OrchestratorError,
    PersonNeededError,
    StoppedError,
)
from orchestrator.migrations.table import Advice
from orchestrator.runbook.model import Runbook, Step
from orchestrator.text import laid_out


class Halt:
    """Makes the error with which a run stops; it looks at the cluster for that."""

    def __init__(self, runbook: Runbook, event_log: EventLog, context: RunContext, looks: Looks) -> None:
        self._event_log = event_log
        self._clock = context.clock
        self._looks = looks
        self._since = self._clock()  # of the run, or of its latest step
        # what must hold before each host's first step: together, that the whole cluster is well
        self.always = tuple(gate_ for step in runbook.stages[0].steps for gate_ in step.always)

    def reset(self) -> None:
        """A step begins: none of its patience is used up."""
        self._since = self._clock()

    def failure(self, step: Step, error: Exception) -> str:
        """Say why a step failed, and where its host stands."""
        is_lost = isinstance(error, HostUnreachableError | LoginRefusedError)
        is_begun = step.host in self._event_log.progress.unsettled  # a handover comes before that
        reasons = error.reasons if isinstance(error, wait.NotYetError) else (str(error),)
        doubt = f"{step.id} is in doubt" if is_lost and is_begun else ""
        return laid_out(f"{step.id}: {reasons[0]}", *reasons[1:], doubt, _standing(step))

    def stopped(self, reason: str, advice: Advice | None = None) -> OrchestratorError:
        """Say whether the cluster is healthy: that decides whether a person is needed now.

        What is left of the step's patience is the cluster's: a host that reboots is back by itself.
        """
        advised = advice.text if advice else ""
        try:
            self._looks.hold(self.always, "members", spent_s=self._clock() - self._since)
        except wait.UnseenError as error:
            found = f"the cluster's health could not be checked: {error}"
            return PersonNeededError(laid_out(reason, found, advised), error.checks)
        except wait.NotYetError as error:
            found = f"the cluster is not healthy: {error}"
            return PersonNeededError(laid_out(reason, found, advised), error.checks)
        is_urgent = advice is not None and advice.is_urgent
        return StoppedError(laid_out(reason, "the cluster is healthy", advised if is_urgent else ""))


def said_once(reasons: Iterable[str]) -> str:
    """Join the reasons of several steps; a line of more than one of them stands where it comes first."""
    return laid_out(*dict.fromkeys(line.strip() for reason in reasons for line in reason.splitlines()))


def _standing(step: Step) -> str:
    return f"{step.host} still stands in {step.source!r}"
