"""What members said that gave a client no answer, and when: a message about a probe names them."""

from collections import deque
from collections.abc import Callable, Mapping

from orchestrator.probe.http_session import Endpoint
from orchestrator.text import escaped

MOST = 1000  # the last ones
LATE_S = 1.0  # a refusal is heard so much behind what it explains
_NAMED = 3  # refusals that a message names
_LONGEST = 160  # characters of each


class Heard:
    """Keeps the last refusals; ``names`` are the members' by their addresses, ``rank`` as a way has it."""

    def __init__(
        self, names: Mapping[str, str], rank: Callable[[Endpoint], int], clock: Callable[[], float]
    ) -> None:
        self._names, self._rank, self._clock = names, rank, clock
        self._said: deque[tuple[float, int, str]] = deque(maxlen=MOST)

    def __bool__(self) -> bool:
        return bool(self._said)

    def hear(self, endpoint: Endpoint, reason: str) -> None:
        """Note a refusal."""
        name = self._names.get(endpoint.address, endpoint.address)
        text = f"{name} over {endpoint.scheme} ({endpoint}): {short(reason)}"
        self._said.append((self._clock(), self._rank(endpoint), text))

    def between(self, since: float, until: float) -> str:
        """Return what was said within a time, by those first that are used first."""
        said = [(rank, text) for at, rank, text in tuple(self._said) if since <= at <= until + LATE_S]
        texts = [*dict.fromkeys(text for _, text in sorted(said, key=lambda one: one[0]))]
        more = f"; and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
        return "; ".join(texts[:_NAMED]) + more if texts else "every member answered, but late"


def short(text: str) -> str:
    """Return what a host said so that it fits into a message."""
    return escaped(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...", keep="")
