"""How long a unit was away at its last restart, as systemd recorded it."""

from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Target

SCRIPT = """
exec systemctl show --property=Type,ActiveExitTimestampMonotonic,InactiveEnterTimestampMonotonic \\
  --property=InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic "$1.service"
"""
_USECS_PER_S = 1_000_000


def last_restart(target: Target) -> Fact[float | None]:
    """Seconds that the last stop and the last start took; None if the unit does not say when it is ready.

    Of a unit that was not stopped since the host was booted it is the start alone.
    """
    return Fact(Script(target.name, SCRIPT, (target.etcd.service,)), _away_s)


def _away_s(answer: Answer) -> float | None:
    shown = dict(answer.pairs)
    if not shown.get("Type", "").startswith("notify"):
        return None
    stops, stopped, starts, ready = (
        int(shown.get(f"{name}TimestampMonotonic") or 0)
        for name in ("ActiveExit", "InactiveEnter", "InactiveExit", "ActiveEnter")
    )
    if not 0 < starts < ready:
        return None
    stop = stopped - stops if 0 < stops <= stopped <= starts else 0
    return round((stop + ready - starts) / _USECS_PER_S, 2)
