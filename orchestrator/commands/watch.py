"""``watch``: a run seen through its state file, by whoever may read that; no host is asked."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from orchestrator.engine.events import Event, Recorded, RunBegan
from orchestrator.engine.holding import is_in_use
from orchestrator.engine.state_file import read, refuse_missing
from orchestrator.errors import UsageError
from orchestrator.migrations.table import Migration
from orchestrator.output import err
from orchestrator.plan.model import Cluster
from orchestrator.report.view import View

_PAUSE_S = 0.25


def seen(path: Path, cluster: Cluster, migration: Migration) -> View | None:
    """Return the run of a state file as it tells it by now; None if there is none yet."""
    return View.of(read(path)[0], cluster, migration) if os.path.lexists(path) else None


class Followed:
    """A state file's run, from where its latest process began; raises UsageError if there is none."""

    def __init__(self, path: Path, cluster: Cluster, migration: Migration) -> None:
        refuse_missing(path)
        self._path, self._cluster, self._migration = path, cluster, migration
        self._told: list[Recorded] = []

    def past(self) -> View | None:
        """Return the run up to the event that was handed over last."""
        return View.of(self._told, self._cluster, self._migration)

    def follow(self, take: Callable[[Event], None], sleep: Callable[[float], None] = time.sleep) -> None:
        """Hand over the events, and those that come, until no process is at work on the file.

        One that has not begun yet is waited for. A file that is begun anew behind that is another run: this
        one is over.
        """
        is_live, events = self._begun(sleep)
        begun = [number for number, event in enumerate(events) if isinstance(event, RunBegan)]
        self._told = events[: begun[-1] if begun else 0]
        while events[: len(self._told)] == self._told:
            for event in events[len(self._told) :]:
                self._told.append(event)
                take(event)
            if not is_live:
                return
            sleep(_PAUSE_S)
            is_live, events = self._look()

    def _begun(self, sleep: Callable[[float], None]) -> tuple[bool, list[Recorded]]:
        """Wait while a process that has the file open still looks or asks: until then nothing is changed."""
        is_live, events = self._look()
        if is_live and not _has_begun(events):
            err(f"{self._path}: a process is at work on it that has begun nothing yet; waiting for it")
        while is_live and not _has_begun(events):
            sleep(_PAUSE_S)
            is_live, events = self._look()
        if not events:
            raise UsageError(f"{self._path}: no run has begun, and no process is at work on it")
        return is_live, events

    def _look(self) -> tuple[bool, list[Recorded]]:
        is_live = is_in_use(self._path)  # first: what it writes last is read then
        return is_live, read(self._path)[0] if os.path.lexists(self._path) else []


def _has_begun(events: Iterable[Recorded]) -> bool:
    return any(isinstance(event, RunBegan) for event in events)
