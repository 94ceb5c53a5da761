"""A witness of what a client does: notes the answers, and what a watch of its own delivers meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Protocol

from orchestrator.probe.history import Event, History, Read, Write
from orchestrator.probe.http_session import Body
from orchestrator.probe.watch import Watching

PATIENCE_S = 10.0  # for the last write to be delivered


class Follower(Protocol):
    """A watch, whoever keeps it."""

    events: list[Event]

    def follow(self) -> None:
        """Follow until it is enough."""

    def see(self, revision: int, patience_s: float) -> None:
        """Wait until that revision was delivered; then it is enough."""


class Witness:
    """Takes down the history of one client; ``watch`` begins one on a prefix, behind a revision."""

    def __init__(self, api: Watching, watch: Callable[[str, int], Follower]) -> None:
        self.history = History()
        self._api = api
        self._watch = watch

    @contextmanager
    def watching(self, prefix: str, before: Body | None) -> Iterator[None]:
        """Watch meanwhile, behind what an answer from before said, and see the last answered write."""
        after = 0 if before is None else self._api.revision(before)
        watch = self._watch(prefix, after)
        following = threading.Thread(target=watch.follow)
        following.start()
        try:
            yield
        finally:
            watch.see(max((write.revision or 0 for write in self.history.writes), default=0), PATIENCE_S)
            following.join()
            self.history.events = watch.events

    def wrote(
        self, written: tuple[str, str], times: tuple[float, float], tries: int, answer: Body | None
    ) -> None:
        """Note a write of a key and a value: when it began and ended, how often it was sent, the answer."""
        began, ended = times
        if answer is None:
            self.history.writes.append(Write(*written, began, inf, None, tries))
        else:
            self.history.writes.append(Write(*written, began, ended, self._api.revision(answer), tries))

    def read(self, key: str, value: str | None, times: tuple[float, float], answer: Body) -> None:
        """Note an answered read of a key: what it gave, and when it began and ended."""
        self.history.reads.append(Read(key, value, *times, self._api.revision(answer)))
