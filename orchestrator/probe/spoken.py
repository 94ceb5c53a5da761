"""What the lab's clients know of themselves: from which address plain http was spoken, and when last."""

import time
from collections.abc import Callable, Mapping


class Spoken:
    """Notes of the clients of one process; without an address of its own a client is known by ''."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def note(self, source: str, scheme: str) -> None:
        """Note that a client sends something, or is sent something, now."""
        if scheme == "http":
            self._last[source] = self._clock()

    def plain_s(self) -> Mapping[str, float]:
        """Return how many seconds ago plain http was spoken, by address."""
        now = self._clock()
        return {source: round(now - last, 3) for source, last in dict(self._last).items()}
