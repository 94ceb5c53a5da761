"""Read back from every single member, at the end, everything that the cluster ever acknowledged."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.probe.api import Dialect
from orchestrator.probe.failover import Asking
from orchestrator.probe.http_session import UnansweredError
from orchestrator.probe.tally import missing


@dataclass(frozen=True, slots=True)
class Loss:
    """An acknowledged write that one member does not give."""

    address: str
    key: str

    def __str__(self) -> str:
        return f"{self.key} is not on {self.address}"


def lost(
    members: Mapping[str, Sequence[Asking]],
    acknowledged: Mapping[str, str],
    prefix: str,
    dialect: Dialect,
    *,
    patience_s: float,
    must_answer: bool = True,
) -> tuple[Loss, ...]:
    """Return every loss. ``members`` maps addresses to the sessions that may reach them.

    A member has to give every write twice: in agreement with the others, which also makes it catch up, and
    then from its own store alone. Of a member that cannot be reached everything is lost, if it
    ``must_answer``.
    """
    losses: dict[Loss, None] = {}
    for address, sessions in members.items():
        for serializable in (False, True):
            found = read_all(sessions, prefix, dialect, serializable=serializable, patience_s=patience_s)
            if found is None and not must_answer:
                break
            losses |= dict.fromkeys(Loss(address, key) for key in missing(acknowledged, found or {}))
        for session in sessions:
            session.close()
    return tuple(losses)


def read_all(
    sessions: Sequence[Asking], prefix: str, dialect: Dialect, *, serializable: bool, patience_s: float
) -> dict[str, str] | None:
    """Return every key below a prefix with its value, from one member; None if it is out of reach."""
    deadline = time.monotonic() + patience_s
    while True:
        for number, session in enumerate(sessions):
            if number and time.monotonic() > deadline:
                return None
            try:
                return dialect.everything(session, prefix, serializable=serializable)
            except UnansweredError:
                continue
        if time.monotonic() > deadline:
            return None
        time.sleep(0.2)
