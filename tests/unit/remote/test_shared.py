"""A connection that threads share: opened once, failed once for all who wait, replaced, closed for good."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from support.waiting import until

from orchestrator.errors import HostUnreachableError
from orchestrator.remote.shared import Shared

THREADS = 6


@dataclass
class Line:
    is_open: bool = True
    closed: int = 0

    def close(self) -> None:
        self.is_open = False
        self.closed += 1


@dataclass
class Dialer:
    """Dials once it is let."""

    fails: bool = False
    dialled: int = 0
    let: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> Line:
        self.dialled += 1
        assert self.let.wait(20)
        if self.fails:
            raise HostUnreachableError("h1", "no answer")
        return Line()


def shared() -> Shared[Line]:
    return Shared(lambda line: line.is_open, Line.close)


def asked_by_all(
    one: Shared[Line], dialer: Dialer, when_waiting: Callable[[], None]
) -> list[Line | Exception]:
    def ask(number: int) -> Line | Exception:
        try:
            return one.get(f"h{number}", dialer)
        except HostUnreachableError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(ask, number) for number in range(THREADS)]
        until(lambda: one._opening is not None and len(one._opening._condition._waiters) == THREADS - 1)  # type: ignore[attr-defined]
        when_waiting()
        return [future.result(20) for future in futures]


def test_it_is_opened_once_for_all_who_want_it() -> None:
    one, dialer = shared(), Dialer()
    got = asked_by_all(one, dialer, dialer.let.set)
    assert 1 == dialer.dialled
    assert [one.last] * THREADS == got


def test_who_waits_fails_with_whoever_tried_and_each_for_its_own_host() -> None:
    one, dialer = shared(), Dialer(fails=True)
    got = asked_by_all(one, dialer, dialer.let.set)
    assert 1 == dialer.dialled
    assert [f"h{number}: no answer" for number in range(1, THREADS)] == [str(error) for error in got[1:]]

    dialer.fails = False
    assert one.get("h1", dialer).is_open
    assert 2 == dialer.dialled


@pytest.mark.parametrize("fails", [False, True])
def test_nobody_takes_a_finished_attempt_for_one_that_is_under_way(*, fails: bool) -> None:
    class Held(Shared[Line]):
        """Lets nobody write which attempt is under way while another may be about to take it for his."""

        def __setattr__(self, name: str, value: object) -> None:
            assert name != "_opening" or "_opening" not in vars(self) or self._lock.locked()
            super().__setattr__(name, value)

    one, dialer = Held(lambda line: line.is_open, Line.close), Dialer(fails=fails)
    asked_by_all(one, dialer, dialer.let.set)
    assert one._opening is None


def test_what_is_broken_is_closed_and_replaced() -> None:
    one, dialer = shared(), Dialer()
    dialer.let.set()
    first = one.get("h1", dialer)
    assert first is one.get("h1", dialer)
    first.is_open = False
    assert not one.is_open
    assert first is not one.get("h1", dialer)
    assert (1, 2) == (first.closed, dialer.dialled)


def test_closed_while_it_is_opened_it_is_closed_for_good() -> None:
    one, dialer = shared(), Dialer()

    def close() -> None:
        one.close()
        dialer.let.set()

    got = asked_by_all(one, dialer, close)
    assert {"the connection was closed by us"} == {getattr(error, "reason", "") for error in got}
    assert one.last is not None
    assert not one.is_open
    with pytest.raises(HostUnreachableError, match="closed by us"):
        one.get("h1", dialer)
    assert 1 == dialer.dialled
