"""Striking once at a moment of a run, from another thread, and reading which moment it is."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOOK_S = 0.005


@dataclass
class Strike:
    """What became of it: when it began, and what went wrong in it."""

    began: datetime | None = None
    error: BaseException | None = None


@contextmanager
def striking(is_now: Callable[[], bool], strike: Callable[[], object]) -> Iterator[Strike]:
    """Strike once it is the moment, of something that is started meanwhile.

    If the strike takes a while it is over when this block ends; then what went wrong in it is known.
    """
    over, seen = threading.Event(), Strike()

    def watch() -> None:
        while not over.is_set():
            if is_now():
                seen.began = datetime.now(UTC)
                try:
                    strike()
                except BaseException as error:  # noqa: BLE001 -- raised by whoever waits
                    seen.error = error
                return
            time.sleep(LOOK_S)

    watcher = threading.Thread(target=watch, name="strike")
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


@dataclass
class Steps:
    """The steps of a round that a state file says were begun; read again only if the file has changed."""

    state_file: Path
    round: str
    _seen: tuple[int, int] = (0, 0)
    _steps: tuple[str, ...] = ()

    def begun(self) -> tuple[str, ...]:
        """Return them in their order, each once; those before the last way back are of an earlier run."""
        try:
            status = self.state_file.stat()
        except FileNotFoundError:
            return ()
        version = (status.st_ino, status.st_size)
        if version != self._seen:
            self._seen, self._steps = version, tuple(self._read())
        return self._steps

    def _read(self) -> Iterator[str]:
        steps = dict[str, None]()
        for event in events(self.state_file):
            if event.get("event") == "run_began" and event.get("direction") == "back":
                steps.clear()
            step = event.get("step", "")
            if event.get("event") == "step_started" and step.startswith(f"{self.round}/"):
                steps[step] = None
        yield from steps


def events(state_file: Path) -> Iterator[dict[str, Any]]:
    """Yield what a state file holds; its last line may be under way, and the file may not be there."""
    try:
        text = state_file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    yield from map(json.loads, text[: text.rfind("\n") + 1].splitlines())
