"""How a run waits, who hears of it, and who may stop it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.engine.events import Event
from orchestrator.plan.model import Patience


@dataclass(frozen=True, slots=True)
class RunContext:
    """Time, sleep and listeners of a run; ``should_stop`` is asked between two steps.

    ``insist`` is told what somebody outside loses by the round that comes next, and says whether to go on all
    the same; ``waits`` is whether it is asked only once waiting did not help.
    """

    patience: Patience
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    should_stop: Callable[[], bool] = bool
    narrate: Callable[[Event], None] = lambda _: None
    insist: Callable[[str], bool] = lambda _: False
    waits: bool = True
