"""Striking at a moment of a run: when the state file shows that a round's second step has begun."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from live.stories import events

from orchestrator.engine.events import Recorded, StepStarted
from orchestrator.lab.lab import Lab

Moment = Callable[[list[Recorded]], bool]


def middle_of(round_: str, step: int = 2) -> Moment:
    """The moment when that many steps of a round have begun."""

    def is_now(so_far: list[Recorded]) -> bool:
        started = [event.step for event in so_far if isinstance(event, StepStarted)]
        return sum(name.startswith(f"{round_}/") for name in started) >= step

    return is_now


@contextmanager
def strike_during(lab: Lab, round_: str, strike: Callable[[], object]) -> Iterator[None]:
    """Strike once, from another thread, in the middle of a round of the run that is started meanwhile."""
    is_now, over = middle_of(round_), threading.Event()
    struck: list[BaseException | None] = []

    def watch() -> None:
        while not over.is_set():
            if is_now(events(lab)):
                try:
                    strike()
                except BaseException as error:  # noqa: BLE001 -- told to the test below
                    struck.append(error)
                else:
                    struck.append(None)
                return
            time.sleep(0.005)

    watcher = threading.Thread(target=watch, name="strike")
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert struck, f"the run never came to the middle of {round_}"
    if struck[0] is not None:
        raise struck[0]
