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
        doubt = f"; {step.id} is in doubt" if is_lost and is_begun else ""
        return f"{step.id}: {error}{doubt}; {step.host} still stands in {step.source!r}"

    def stopped(self, reason: str, advice: Advice | None = None) -> OrchestratorError:
        """Say whether the cluster is healthy: that decides whether a person is needed now.

        What is left of the step's patience is the cluster's: a host that reboots is back by itself.
        """
        reported = f". {advice.text}" if advice else ""
        try:
            self._looks.hold(self.always, "members", spent_s=self._clock() - self._since)
        except wait.UnseenError as error:
            return PersonNeededError(
                f"{reason}; the cluster's health could not be checked: {error}{reported}", error.checks
            )
        except wait.NotYetError as error:
            return PersonNeededError(f"{reason}; the cluster is not healthy: {error}{reported}", error.checks)
        return StoppedError(
            f"{reason}; the cluster is healthy{reported if advice and advice.is_urgent else ''}"
        )


def said_once(reasons: Iterable[str]) -> str:
    """Join the reasons of several steps; what more than one of them says stands where it is said first."""
    return "; ".join(dict.fromkeys("; ".join(reasons).split("; ")))
