"""How long a unit was away at its last restart, and how long it started, as systemd recorded it."""

from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Target

SCRIPT = """
exec systemctl show --property=Type,ActiveExitTimestampMonotonic,InactiveEnterTimestampMonotonic \\
  --property=InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic "$1.service"
"""
_NAMES = ("ActiveExit", "InactiveEnter", "InactiveExit", "ActiveEnter")
_USECS_PER_S = 1_000_000


def last_restart(target: Target) -> Fact[float | None]:
    """Seconds that the last stop and the last start took; None if the unit does not say when it is ready.

    Of a unit that was not stopped since the host was booted it is the start alone.
    """
    return Fact(Script(target.name, SCRIPT, (target.etcd.service,)), _away_s)


def last_start(target: Target) -> Fact[float | None]:
    """Seconds that the last start alone took; None if the unit does not say when it is ready.

    Of what was before it nobody knows whether it was a stop: a start that fails ends there too.
    """
    return Fact(Script(target.name, SCRIPT, (target.etcd.service,)), _start_s)


def _away_s(answer: Answer) -> float | None:
    moments = _moments(answer)
    if moments is None:
        return None
    stops, stopped, starts, ready = moments
    stop = stopped - stops if 0 < stops <= stopped <= starts else 0
    return round((stop + ready - starts) / _USECS_PER_S, 2)


def _start_s(answer: Answer) -> float | None:
    moments = _moments(answer)
    return None if moments is None else round((moments[3] - moments[2]) / _USECS_PER_S, 2)


def _moments(answer: Answer) -> tuple[int, int, int, int] | None:
    """When it began to stop, had stopped, began to start and was ready; None if that cannot be told."""
    shown = dict(answer.pairs)
    if not shown.get("Type", "").startswith("notify"):
        return None
    stops, stopped, starts, ready = (int(shown.get(f"{name}TimestampMonotonic") or 0) for name in _NAMES)
    return (stops, stopped, starts, ready) if 0 < starts < ready else None
