"""How the report says times, durations and endings; pure."""

from datetime import datetime

from orchestrator.engine.events import SpanKind

WAITS: dict[SpanKind, str] = {
    "gates": "until a step's own gates hold",
    "members": "until the other members are well",
    "outside": "until clients have moved",
    "leader": "until there is a leader",
    "cut-off": "not waited for: cut off",
}


def moment(at: datetime) -> str:
    """A point in time, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def clock(at: datetime) -> str:
    """The time of a day."""
    return f"{at:%H:%M:%S}"


def duration(seconds: float) -> str:
    """A duration for people, in two units at most."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def listed(words: tuple[str, ...]) -> str:
    """Names in a row: ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "nobody"
