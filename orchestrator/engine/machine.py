"""The state machine of one member, built from the runbook: it refuses whatever the table does not allow."""

from collections.abc import Callable

from transitions import Machine

from orchestrator.host.checks import Poll
from orchestrator.runbook.model import Runbook, Step


class MemberMachine:
    """Where a member stands. ``take`` does a step's work; if it raises, the member has not moved."""

    state: str

    def __init__(
        self, runbook: Runbook, member: str, initial: str, take: Callable[[Step, Poll | None], None]
    ) -> None:
        self._machine = Machine(
            model=self,
            states=list(runbook.tracks[member]),
            initial=initial,
            transitions=[
                {
                    "trigger": stage.round,
                    "source": stage.source,
                    "dest": stage.target,
                    "before": take,  # the only place for effects: an exception here leaves the state
                }
                for stage in runbook.stages
                if any(step.host == member for step in stage.steps)
            ],
            auto_transitions=False,  # no to_<state>() shortcuts around the table
            queued=False,
        )

    def step(self, step: Step, role: Poll | None = None) -> None:
        """Take a step; raises transitions.MachineError if the member does not stand where it begins."""
        self._machine.events[step.round].trigger(self, step, role)
