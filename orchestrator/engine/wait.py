"""Waiting for gates: look, judge, look again, until they hold or the plan's patience ends."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.host.checks import Check, Poll
from orchestrator.plan.model import Patience
from orchestrator.remote.executor import Executor, Refusal

Report = Callable[[tuple[str, ...]], None]
Sleep = Callable[[float], None]
Found = TypeVar("Found")

_FIRST_PAUSE_S = 0.05  # each further one is twice as long, up to the plan's own


class NotYetError(Exception):
    """Gates do not hold; the reasons are what an operator reads when patience ends, of these places."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(map(str, refusals)))
        self.refusals = tuple(refusals)
        self.reasons = tuple(map(str, refusals))
        self.checks = tuple(dict.fromkeys(one.name for one in refusals if one.name))
        self.places = tuple(dict.fromkeys(one.where for one in refusals))


class UnseenError(NotYetError):
    """A host could not be asked, so nobody knows whether gates hold."""


def look(executor: Executor, gates: Sequence[Check], max_age_s: float = 0.0) -> None:
    """Look once; raises NotYetError if a gate does not hold, UnseenError if a host cannot be asked."""
    with _unseen():
        refusals = executor.refusals(gates, max_age_s=max_age_s)
    if refusals:
        raise NotYetError(refusals)


def until(
    ask: Callable[[float], Found],
    patience: Patience,
    sleep: Sleep,
    report: Report,
    max_age_s: float = 0.0,
    uncounted_s: Callable[[], float] = float,
) -> Found:
    """Return what asking finds, and ask again while it raises NotYetError or a host cannot be asked.

    ``ask`` is given how old answers may be: ``max_age_s`` at first, and from then on they have to be new.
    Raises NotYetError with the last reasons when patience ends; ``uncounted_s`` is how much of the time since
    the beginning takes nothing of it.
    """
    ages = chain((max_age_s,), repeat(0.0))

    def once() -> Found:
        with _unseen():
            return ask(next(ages))

    return _retrying(patience, sleep, report, uncounted_s)(once)


def hold(
    executor: Executor, gates: Sequence[Check], patience: Patience, sleep: Sleep, report: Report
) -> None:
    """Return once all gates hold; raises NotYetError with the last reasons when patience ends."""
    until(lambda max_age_s: look(executor, gates, max_age_s), patience, sleep, report)


def find(
    executor: Executor,
    poll: Poll,
    patience: Patience,
    sleep: Sleep,
    report: Report,
    max_age_s: float = 0.0,
) -> str:
    """Return the member that a poll finds, waiting for there to be one; ``max_age_s`` as until has it."""

    def ask(age_s: float) -> str:
        name = executor.poll(poll, max_age_s=age_s)
        if name is None:
            raise NotYetError((Refusal(poll.name, "there is none"),))
        return name

    return until(ask, patience, sleep, report, max_age_s)


def glance(executor: Executor, poll: Poll, max_age_s: float = 0.0) -> str | None:
    """Return the member that a poll finds now, or None; a host that cannot be asked finds nobody."""
    try:
        return executor.poll(poll, max_age_s=max_age_s)
    except (HostUnreachableError, LoginRefusedError):
        return None


@contextmanager
def _unseen() -> Iterator[None]:
    """A host that is just rebooting refuses logins for a moment, too: worth another look."""
    try:
        yield
    except (HostUnreachableError, LoginRefusedError) as error:
        raise UnseenError((Refusal(error.host, error.reason),)) from error


def _retrying(patience: Patience, sleep: Sleep, report: Report, uncounted_s: Callable[[], float]) -> Retrying:
    def is_over(state: RetryCallState) -> bool:
        return stop_after_delay(patience.gate_s + uncounted_s())(state)

    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, NotYetError):
            report(error.reasons)

    return Retrying(
        stop=is_over,
        wait=wait_exponential(multiplier=_FIRST_PAUSE_S, max=patience.pause_s),
        retry=retry_if_exception_type(NotYetError),
        sleep=sleep,
        before_sleep=before_sleep,
        reraise=True,
    )
