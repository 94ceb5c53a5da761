"""Waiting for gates: look, judge, look again, until they hold or the plan's patience ends."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.host.checks import Check, Poll
from orchestrator.plan.model import Patience
from orchestrator.remote.executor import Executor, Refusal

Report = Callable[[tuple[str, ...]], None]
Sleep = Callable[[float], None]
Found = TypeVar("Found")


class NotYetError(Exception):
    """Gates do not hold; the reasons are what an operator reads when patience ends, of these places."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(map(str, refusals)))
        self.reasons = tuple(map(str, refusals))
        self.places = tuple(dict.fromkeys(one.where for one in refusals))


class UnseenError(NotYetError):
    """A host could not be asked, so nobody knows whether gates hold."""


def look(executor: Executor, gates: Sequence[Check]) -> None:
    """Look once; raises NotYetError if a gate does not hold, UnseenError if a host cannot be asked."""
    with _unseen():
        refusals = executor.refusals(gates)
    if refusals:
        raise NotYetError(refusals)


def until(ask: Callable[[], Found], patience: Patience, sleep: Sleep, report: Report) -> Found:
    """Return what asking finds, and ask again while it raises NotYetError or a host cannot be asked.

    Raises NotYetError with the last reasons when patience ends.
    """

    def once() -> Found:
        with _unseen():
            return ask()

    return _retrying(patience, sleep, report)(once)


def hold(
    executor: Executor, gates: Sequence[Check], patience: Patience, sleep: Sleep, report: Report
) -> None:
    """Return once all gates hold; raises NotYetError with the last reasons when patience ends."""
    until(lambda: look(executor, gates), patience, sleep, report)


def find(executor: Executor, poll: Poll, patience: Patience, sleep: Sleep, report: Report) -> str:
    """Return the member that a poll finds, waiting for there to be one."""

    def once() -> str:
        name = executor.poll(poll)
        if name is None:
            raise NotYetError((Refusal(poll.name, "there is none"),))
        return name

    return until(once, patience, sleep, report)


def glance(executor: Executor, poll: Poll) -> str | None:
    """Return the member that a poll finds now, or None; a host that cannot be asked finds nobody."""
    try:
        return executor.poll(poll)
    except (HostUnreachableError, LoginRefusedError):
        return None


@contextmanager
def _unseen() -> Iterator[None]:
    """A host that is just rebooting refuses logins for a moment, too: worth another look."""
    try:
        yield
    except (HostUnreachableError, LoginRefusedError) as error:
        raise UnseenError((Refusal(error.host, error.reason),)) from error


def _retrying(patience: Patience, sleep: Sleep, report: Report) -> Retrying:
    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, NotYetError):
            report(error.reasons)

    return Retrying(
        stop=stop_after_delay(patience.gate_s),
        wait=wait_fixed(patience.pause_s),
        retry=retry_if_exception_type(NotYetError),
        sleep=sleep,
        before_sleep=before_sleep,
        reraise=True,
    )
