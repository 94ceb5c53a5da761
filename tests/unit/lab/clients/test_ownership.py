"""The judge of locks and elections: it takes what etcd can show, and names what must not be."""

from dataclasses import replace

import pytest

from orchestrator.lab.clients.ownership import Holding, broken
from orchestrator.probe.history import Event, Write

A = Holding("lock-1", "/lock/a", began=1.0, ended=5.0)
B = Holding("lock-2", "/lock/b", began=5.5, ended=9.0)
CAME_A, CAME_B = Event(2, "/lock/a", ""), Event(3, "/lock/b", "")
WENT_A, WENT_B = Event(14, "/lock/a", "", is_deletion=True), Event(30, "/lock/b", "", is_deletion=True)
EVENTS = [CAME_A, CAME_B, WENT_A, WENT_B]


def write(began: float, revision: int | None) -> Write:
    return Write("/w", str(revision), began, began + 0.1, revision)


WRITES = [write(0.5, 4), write(2.0, 10), write(4.0, 13), write(6.0, 20), write(8.0, 25), write(9.5, 31)]


def found(holdings: list[Holding], events: list[Event] = EVENTS) -> list[str]:
    return list(broken(holdings, events, WRITES))


def test_one_behind_the_other_is_no_fault() -> None:
    assert [] == found([A, B])
    assert [] == found([A, B], [CAME_A, CAME_B, WENT_A])
    assert [] == found([A], [CAME_A])


def test_a_time_without_a_write_proves_nothing() -> None:
    assert [] == list(broken([A, B], [], []))
    assert [] == list(broken([A, B], [], [write(2.0, None)]))


@pytest.mark.parametrize(
    ("holdings", "events", "wanted"),
    [
        ([], EVENTS, "nobody ever held it"),
        ([A, replace(B, began=4.5)], EVENTS, "lock-1 and lock-2 held it at once"),
        ([replace(A, ended=20.0), B], EVENTS, "lock-1 and lock-2 held it at once"),
        ([replace(A, is_lost=True), B], EVENTS, "lock-1 lost it"),
        (
            [A], [CAME_A, Event(12, "/lock/a", "", is_deletion=True)],
            "lock-1 lost it at revision 12, and did not notice up to revision 13",
        ),
        (
            [A], [CAME_A, Event(13, "/lock/a", "", is_deletion=True)],
            "lock-1 lost it at revision 13, and did not notice up to revision 13",
        ),
        ([A], [CAME_B], "lock-1 held it by /lock/a, which etcd never had"),
        ([A], [Event(11, "/lock/a", "")], "lock-1 held it at revision 10, and its key came at revision 11"),
        (
            [B], [CAME_A, CAME_B, Event(28, "/lock/a", "", is_deletion=True), WENT_B],
            "lock-2 held it at revision 20, when /lock/a was the older one",
        ),
        ([B], [CAME_A, CAME_B], "lock-2 held it at revision 20, when /lock/a was the older one"),
    ],
)  # fmt: skip
def test_each_fault_is_named(holdings: list[Holding], events: list[Event], wanted: str) -> None:
    assert wanted in found(holdings, events)
