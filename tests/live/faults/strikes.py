"""Moments of a run, as the state file and the hosts show them, and striking at one of them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from live.stories import events

from orchestrator.engine.events import Opened, Recorded, RunBegan, StepStarted
from orchestrator.host import names
from orchestrator.lab.faults.striking import striking
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine import processes

Moment = Callable[[list[Recorded]], bool]
JOBS = "run/orchestrator"  # on the hosts: a directory for each job, with its result once it is done


def announced(round_: str, number: int = 2) -> Moment:
    """The moment when the state file announces a round's n-th step; its job comes next."""
    return lambda so_far: _step(so_far, round_, number) is not None


def job_under_way(lab: Lab, round_: str, number: int = 2) -> Moment:
    """The moment when the job of a round's n-th step has reached its host."""
    return _job_left(lab, round_, number, "")


def job_done(lab: Lab, round_: str, number: int = 2) -> Moment:
    """The moment when the job of a round's n-th step has left its result, which is not judged yet."""
    return _job_left(lab, round_, number, "exit")


def _job_left(lab: Lab, round_: str, number: int, name: str) -> Moment:
    inits = {host.name: processes.init_of(host.namespace) for host in lab.hosts}

    def is_now(so_far: list[Recorded]) -> bool:
        step = _step(so_far, round_, number)
        if step is None:
            return False
        run = next(event.run for event in so_far if isinstance(event, Opened))
        job = names.of_attempt(run, round_, step.host, step.attempt)
        return Path(f"/proc/{inits[step.host]}/root", JOBS, job, name).exists()

    return is_now


def _step(so_far: list[Recorded], round_: str, number: int) -> StepStarted | None:
    """The latest beginning of the n-th step that a round began, if it came to that."""
    started = [event for event in so_far if isinstance(event, StepStarted)]
    steps = list(
        dict.fromkeys(event.step for event in started if names.round_and_host(event.step)[0] == round_)
    )
    if len(steps) < number:
        return None
    return next(event for event in reversed(started) if event.step == steps[number - 1])


def at_work(lab: Lab) -> Host:
    """The host of the step that was begun last."""
    return lab.host([event for event in events(lab) if isinstance(event, StepStarted)][-1].host)


@contextmanager
def held_still(lab: Lab) -> Iterator[None]:
    """Freeze the orchestrator that runs, so that it cannot go on, or be over, meanwhile."""
    pid = [event.pid for event in events(lab) if isinstance(event, RunBegan)][-1]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def strike_when(lab: Lab, is_now: Moment, strike: Callable[[Host], object]) -> Iterator[None]:
    """Strike once, from another thread, at a moment of the run that is started meanwhile.

    ``strike`` is told the host whose step it is. If it takes a while it is over when this block ends.
    """
    with striking(lambda: is_now(events(lab)), lambda: strike(at_work(lab))) as struck:
        yield
    assert struck.began, "the run never came to the moment of the strike"
    if struck.error is not None:
        raise struck.error
