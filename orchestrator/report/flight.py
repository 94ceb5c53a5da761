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
        self._step: str | None = None
        self._began = 0.0

    def take(self, event: Event) -> None:
        """Take one more event in."""
        match event:
            case StepStarted():
                self._step, self._began = event.step, self._clock()
            case StepSucceeded() | StepFailed() | RunEnded():
                self._step = None
            case _:
                pass

    def __str__(self) -> str:
        if self._step is None:
            return "no step is in flight: stopping before the next one"
        left_s = max(0.0, self._began + self._longest_s - self._clock())
        return f"{self._step} is in flight, for {left_s:.0f} s at most: stopping after it"
