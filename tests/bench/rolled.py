"""What a whole run costs against the number of hosts: rows of tests/results, for docs/benchmarks.md."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from support.results import Results

from orchestrator.engine.events import (
    Opened,
    Recorded,
    RoundBegan,
    RunEnded,
    StepFailed,
    StepStarted,
    StepSucceeded,
)


@dataclass(frozen=True, slots=True)
class Rolled:
    """One run for ``members`` and so many ``hosts`` of clients, which are watched for ``quiet_s`` each.

    ``moved`` are the hosts on which it left what the plan wants. ``memory_mb`` is the most that its process
    had (RSS), ``openings`` how many connections it was opening at once; ``connections`` and ``turns`` were
    seen on the wire. ``rounds`` are its rounds and what each took in seconds, by the events of the state
    file; ``restarting`` and ``moving`` how many hosts a unit of etcd's restarted, or clients moved, at once.
    """

    members: int
    hosts: int
    turn: int
    quiet_s: float
    machine: str
    load: float
    exit_code: int
    moved: int
    wall_s: float
    cpu_s: float
    memory_mb: float
    openings: int
    connections: int
    turns: int
    restarting: int
    moving: int
    state_kb: int
    rounds: tuple[tuple[str, float], ...]

    @property
    def key(self) -> tuple[str, str]:
        return f"{self.members} {self.hosts:03} {self.quiet_s:g}", f"{self.turn:02}"

    def took(self, name: str) -> float:
        """Return how long a round took, in seconds; 0 if there was none."""
        return dict(self.rounds).get(name, 0.0)


LOOKING, LOCKING, BEHIND = "looks and checks", "locks and backup", "behind the last round"
RESULTS = Results("rolling", Rolled, compared=())


def rounds_of(events: Sequence[Recorded], began_at: float, wall_s: float) -> tuple[tuple[str, float], ...]:
    """Return the rounds of a run in their order, and how many seconds each took; around them what is none."""
    named = {Opened: LOCKING, RunEnded: BEHIND}
    bounds = [
        (event.round if isinstance(event, RoundBegan) else named[type(event)], event.at.timestamp())
        for event in events
        if isinstance(event, Opened | RoundBegan | RunEnded)
    ]
    marks = [(LOOKING, began_at), *bounds, ("", began_at + wall_s)]
    return tuple((name, round(until - since, 3)) for (name, since), (_, until) in pairwise(marks))


def restarting_at_once(events: Iterable[Recorded]) -> int:
    """Return how many steps that restart something were under way at once, at most."""
    return _most_at_once(events, {e.step for e in events if isinstance(e, StepStarted) and e.restarts})


def under_way_at_once(events: Iterable[Recorded], round_: str) -> int:
    """Return how many steps of a round were under way at once, at most."""
    return _most_at_once(
        events, {e.step for e in events if isinstance(e, StepStarted) and e.step.startswith(f"{round_}/")}
    )


def _most_at_once(events: Iterable[Recorded], steps: set[str]) -> int:
    now: set[str] = set()
    most = 0
    for event in events:
        if isinstance(event, StepStarted) and event.step in steps:
            now.add(event.step)
        elif isinstance(event, StepSucceeded | StepFailed):
            now.discard(event.step)
        most = max(most, len(now))
    return most
