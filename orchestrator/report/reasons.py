"""Which reasons for waiting are news: "3 s ago" is no other reason than "2 s ago"."""

import re

from orchestrator.engine.events import Event, Waiting

_AMOUNT = re.compile(r"\b\d+(?:\.\d+)? (?:s|min|m|h|d)\b")


class Reasons:
    """Remembers what was waited for last."""

    def __init__(self) -> None:
        self._last: tuple[str, ...] | None = None

    def are_news(self, event: Event) -> bool:
        """Whether an event says anything that the one before it did not; it is remembered."""
        before = self._last
        self._last = None
        if isinstance(event, Waiting):
            self._last = tuple(_AMOUNT.sub("#", reason) for reason in event.reasons)
        return self._last is None or self._last != before
