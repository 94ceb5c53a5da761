"""What is in flight at this moment, for whoever wants to stop: known from the run's own events."""

import time
from collections.abc import Callable

from orchestrator.engine.events import Event, RunEnded, StepFailed, StepStarted, StepSucceeded
from orchestrator.migrations.table import DEADLINE_S


class Flight:
    """Listens to a run; ``gate_s`` is how long a step's gates are waited for, in seconds."""

    def __init__(self, gate_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest_s = DEADLINE_S + gate_s
        self._clock = clock
        self._began_s: dict[str, float] = {}  # by the step's id

    def take(self, event: Event) -> None:
        """Take one more event in."""
        match event:
            case StepStarted():
                self._began_s[event.step] = self._clock()
            case StepSucceeded() | StepFailed():
                self._began_s.pop(event.step, None)
            case RunEnded():
                self._began_s.clear()
            case _:
                pass

    def __str__(self) -> str:
        if not self._began_s:
            return "no step is in flight: stopping before the next one"
        left_s = max(0.0, max(self._began_s.values()) + self._longest_s - self._clock())
        verb = "is" if len(self._began_s) == 1 else "are"
        return f"{', '.join(self._began_s)} {verb} in flight, for {left_s:.0f} s at most: stopping after that"
