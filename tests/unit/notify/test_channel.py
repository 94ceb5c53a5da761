"""A queue for each place: bounded, never waited for, and honest about what it lost."""

import threading
import time

import pytest
from support.event_logs import OPENED

from orchestrator.notify.channel import Channel, Notice, NotSentError, end_all
from orchestrator.notify.webhook import Webhook
from orchestrator.report.event_lines import EventLine

NOTICE = Notice(EventLine(cluster="x", run="ab12cd34", event=OPENED), None)


class Slow:
    """A place that takes events only once it is let."""

    name = "slow"
    is_sent_at_end = False

    def __init__(self) -> None:
        self.may, self.begun = threading.Event(), threading.Event()
        self.sent = 0

    def send(self, _notice: Notice) -> None:
        self.begun.set()
        self.may.wait()
        self.sent += 1

    def close(self) -> None:
        self.sent += 100

    def stop(self) -> None:
        self.may.set()


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    said, place = list[str](), Slow()
    channel = Channel(place, said.append, most=5)
    channel.put(NOTICE)
    assert place.begun.wait(60)
    for _ in range(20):
        channel.put(NOTICE)  # which waits for nobody: the place is let go on behind it
    place.may.set()
    end_all((channel,), said.append, 60.0)
    assert (["slow: 15 of 21 events did not arrive; the state file has all"], 106) == (said, place.sent)


class Trace(Slow):
    """A place that sends all it got behind the last event, once it is let; it may fail then."""

    name = "trace"
    is_sent_at_end = True
    fails = False

    def send(self, _notice: Notice) -> None:
        self.sent += 1

    def close(self) -> None:
        self.may.wait()
        if self.fails:
            raise NotSentError("refused")

    def stop(self) -> None:
        """Leave it to its own time limit."""


@pytest.mark.parametrize("fails", [True, False])
def test_what_is_sent_at_the_end_and_was_given_up_or_refused_did_not_arrive(*, fails: bool) -> None:
    said, place = list[str](), Trace()
    place.fails = fails
    channel = Channel(place, said.append)
    for _ in range(3):
        channel.put(NOTICE)
    if fails:
        place.may.set()
    end_all((channel,), said.append, 1.5)
    place.may.set()
    first = (
        "trace: refused. The run is not affected" if fails else "trace: not done yet; waiting for 0 s at most"
    )
    assert [first, "trace: 3 of 3 events did not arrive; the state file has all"] == said


def test_what_is_sent_at_the_end_and_was_taken_has_arrived() -> None:
    said, place = list[str](), Trace()
    place.may.set()
    channel = Channel(place, said.append)
    channel.put(NOTICE)
    end_all((channel,), said.append, 60.0)
    assert [] == said


def test_a_webhook_is_named_without_what_may_be_secret() -> None:
    place = Webhook("https://anna:planted@chat.example.org:8443/services/T00/planted?token=planted")
    assert "webhook https://chat.example.org:8443" == place.name


def test_the_end_waits_only_so_long_and_says_so() -> None:
    said, place = list[str](), Slow()
    channel = Channel(place, said.append)
    for _ in range(3):
        channel.put(NOTICE)
    began = time.monotonic()
    end_all((channel,), said.append, 2.0)
    assert time.monotonic() - began > 1.9
    assert "slow: not done yet; waiting for 1 s at most" == said[0]
    assert said[1].endswith(" of 3 events did not arrive; the state file has all")
    assert place.sent < 3, "nothing more is sent"
