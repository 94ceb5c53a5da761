"""The judge of histories: it takes those that etcd can show, and names what is wrong with each other one."""

from dataclasses import replace
from math import inf

import pytest

from orchestrator.probe.history import Event, History, Read, Write, contradictions

A = Write("/a", "1", began=1.0, ended=2.0, revision=5)
B = Write("/b", "2", began=3.0, ended=4.0, revision=6)
OF_A, OF_B = Event(5, "/a", "1"), Event(6, "/b", "2")
READ = Read("/a", "1", began=5.0, ended=6.0, revision=6)


def found(writes: list[Write], events: list[Event], *reads: Read) -> list[str]:
    return list(contradictions(History(writes, list(reads), events)))


def test_what_etcd_promises_is_no_contradiction() -> None:
    assert [] == found([A, B], [OF_A, OF_B], READ)
    assert [] == found([A, B], [OF_A, OF_B], Read("/none", None, 5.0, 6.0, 6))
    assert [] == found([], [])


def test_a_write_without_an_answer_may_or_may_not_have_happened() -> None:
    unanswered = replace(A, ended=inf, revision=None)
    assert [] == found([unanswered, B], [OF_B])
    assert [] == found([unanswered, B], [OF_A, OF_B], READ)
    assert [] == found([unanswered, B], [OF_B, Event(9, "/a", "1")], replace(READ, value=None))


def test_writes_at_the_same_time_may_have_either_order() -> None:
    during = replace(B, began=1.5)
    assert [] == found(
        [replace(A, revision=6), replace(during, revision=5)], [Event(5, "/b", "2"), Event(6, "/a", "1")]
    )


def test_a_write_that_was_sent_twice_may_have_happened_twice() -> None:
    assert [] == found([replace(A, revision=6, tries=2)], [OF_A, Event(6, "/a", "1")])


@pytest.mark.parametrize(
    ("writes", "events", "reads", "wanted"),
    [
        ([A, B], [OF_A, OF_B, OF_B], [], "the watch delivered revision 6 twice"),
        ([A, B], [OF_B, OF_A], [], "the watch delivered revision 5 behind 6"),
        ([A, B], [OF_A], [], "the watch missed revision 6, the write of /b"),
        ([A], [OF_A, OF_B], [], "the watch delivered /b = 2, which nobody wrote"),
        ([A], [Event(5, "/a", "other")], [], "the watch delivered /a = other, which nobody wrote"),
        (
            [A, B], [OF_A, OF_B, Event(7, "/a", "1")], [],
            "the write of /a happened 2 times, and was sent 1 times",
        ),
        (
            [A, replace(B, revision=5)], [OF_A], [],
            "revision 5 is the write of /b, and the watch has /a there",
        ),
        (
            [replace(A, revision=6), replace(B, revision=5)], [Event(5, "/b", "2"), Event(6, "/a", "1")], [],
            "the write of /b has revision 5, and began behind revision 6",
        ),
        (
            [replace(A, revision=6), replace(B, ended=inf, revision=None)],
            [Event(5, "/b", "2"), Event(6, "/a", "1")], [],
            "the write of /b has revision 5, and began behind revision 6",
        ),
        (
            [A, B], [OF_A, OF_B], [replace(READ, value="0")],
            "the read of /a at revision 6 gave 0, and not 1",
        ),
        (
            [A, B], [OF_A, OF_B], [replace(READ, value=None)],
            "the read of /a at revision 6 gave None, and not 1",
        ),
        (
            [A, B], [OF_A, OF_B], [replace(READ, revision=5)],
            "the read of /a at revision 5 began behind revision 6",
        ),
        (
            [A, B], [OF_A, OF_B],
            [replace(READ, revision=8), replace(READ, revision=7, began=7.0, ended=8.0)],
            "the read of /a at revision 7 began behind revision 8",
        ),
        (
            [A, B], [OF_A, OF_B], [replace(READ, began=2.2, ended=2.5)],
            "the read of /a at revision 6 ended before a write began that had happened by then",
        ),
    ],
)  # fmt: skip
def test_each_broken_promise_is_named(
    writes: list[Write], events: list[Event], reads: list[Read], wanted: str
) -> None:
    assert wanted in found(writes, events, *reads)


def test_each_contradiction_is_said_once() -> None:
    assert ["the watch missed revision 5, the write of /a"] == found([A, B], [OF_B])
