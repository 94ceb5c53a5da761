"""A whole migration with one fault in each round: a case, and a row of the matrix, for each of them."""

from collections.abc import Callable

from live.faults.record import RECOVERS, Exits, case
from live.faults.strikes import Moment, job_under_way, strike_when
from live.stories import ROUNDS, STATES

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

LIMIT_S = 900.0  # for a journey; the slowest machine is slower than any other


def under_way(lab: Lab, round_: str) -> Moment:
    """The moment when the job of the round's second step is under way."""
    return job_under_way(lab, round_)


def journey(
    lab: Lab,
    fault: str,
    strike: Callable[[Host], object],
    *,
    expected: str,
    moment: Callable[[Lab, str], Moment] = under_way,
    exits: Exits = RECOVERS,
    behind: Callable[[str], object] = lambda _: None,
) -> None:
    """Take every round with the fault in its middle; a run that stops is resumed once the cluster is well.

    ``behind`` is told the state that the members have come to, after each round.
    """
    for round_, state in zip(ROUNDS, STATES, strict=True):
        with (
            case(lab, fault, round_, exits=exits, expected=expected) as now,
            strike_when(lab, moment(lab, round_), strike),
        ):
            now.finish(PLAN, "--until", state, "--yes" if round_ == ROUNDS[0] else "--resume")
        behind(state)
