"""Waiting in a test for what another process or thread does: far longer than it takes on a busy machine."""

import time
from collections.abc import Callable

MOST_S = 60.0


def until(
    holds: Callable[[], object],
    said: Callable[[], object] = str,
    *,
    within_s: float = MOST_S,
    pause_s: float = 0.01,
) -> None:
    """Return once it holds; a test that waits in vain shows what ``said`` returns."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s: {said()}"
        time.sleep(pause_s)
