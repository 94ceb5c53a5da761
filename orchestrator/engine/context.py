"""How a run waits, who hears of it, and who may stop it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.engine.events import Account, Event
from orchestrator.host.operations import Job, JobResult
from orchestrator.plan.model import Patience
from orchestrator.runbook.model import Step

Perform = Callable[[Job], JobResult | Exception]
AtOnce = Callable[[Perform, Sequence[Job]], Sequence[JobResult | Exception]]


def one_after_the_other(perform: Perform, jobs: Sequence[Job]) -> Sequence[JobResult | Exception]:
    """Perform jobs in their order, for tests and dry runs, which want the same order every time."""
    return [perform(job) for job in jobs]


class Witness(Protocol):
    """Somebody who uses the cluster during a run, and may object to the next step."""

    def objection(self) -> str:
        """Say why no further step may begin; nothing if all is well."""

    def account(self) -> Account | None:
        """Return what it went through so far."""

    def end(self) -> None:
        """Stop, and look a last time: from now on its account is final. It may be ended twice."""


class NoWitness:
    """Nobody looks, and nobody objects."""

    def objection(self) -> str:
        """Object to nothing."""
        return ""

    def account(self) -> Account | None:
        """Return nothing."""
        return None

    def end(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Time, sleep and listeners of a run; ``should_stop`` is asked between two steps.

    ``insist`` is told what somebody outside loses by the round that comes next, and says whether to go on all
    the same; ``waits`` is whether it is asked only once waiting did not help. ``permits`` is asked before
    each step. ``canary`` is the member that takes each round first; behind its first restart its gates have
    to hold for ``soak_s`` before anybody follows. ``at_once`` performs jobs that may be under way at the same
    time, and returns what came of each, in their order. ``witness`` is asked before each step,
    and at the end.
    """

    patience: Patience
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    should_stop: Callable[[], bool] = bool
    narrate: Callable[[Event], None] = lambda _: None
    insist: Callable[[str], bool] = lambda _: False
    waits: bool = True
    at_once: AtOnce = one_after_the_other
    permits: Callable[[Step], bool] | None = None
    canary: str | None = None
    soak_s: float = 0.0
    witness: Witness = field(default_factory=NoWitness)

    @property
    def is_taken_slowly(self) -> bool:
        """Whether every step stands alone, even in a round that hosts could take at once."""
        return self.permits is not None or self.canary is not None
