"""What a review says beside the runbook: what was seen on the hosts, and what that means for the plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.plan.facts import Target
from orchestrator.report.review.model import Note
from orchestrator.runbook.model import Runbook

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a review says beside the runbook.

    ``targets`` are all hosts, members first; ``meanings`` what is true in each state, by its name; ``lying``
    the texts that lie on each host now, by path. ``away_s`` is how long each host's service was away at its
    last restart, in seconds, where that is known. ``varied`` is the runbook of other assumptions, where
    nobody has looked: what differs there is assumed.
    """

    targets: tuple[Target, ...]
    meanings: Mapping[str, str]
    goes_back: bool = False
    lying: Mapping[str, Texts] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    sources: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    undoing: str = ""
    times: tuple[str, ...] = ()
    away_s: Mapping[str, float] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    varied: Runbook | None = None
