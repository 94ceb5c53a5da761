"""The large keyspace's watchers go on behind what each has seen, and no window cuts a stall short."""

import json

from bench.noting import longest_stall
from bench.watchers import Stream

from orchestrator.probe import v3


def asked_from(stream: Stream) -> list[str]:
    lines = stream.watch("", 0).content.splitlines()
    return [json.loads(line)["create_request"]["start_revision"] for line in lines]


def test_a_stream_that_begins_anew_goes_on_behind_what_each_watcher_has_seen() -> None:
    stream = Stream(["/a", "/b"], after=7)
    assert ["8", "8"] == asked_from(stream)
    stream.events({"watch_id": "2", "events": [{"kv": {"key": v3.encoded("/b"), "mod_revision": "9"}}]})
    assert ["8", "10"] == asked_from(stream)
    assert 2 == stream.begun


def test_what_a_stream_holds_is_counted_anew_where_it_begins_anew() -> None:
    stream = Stream(["/a", "/b"], after=7)
    stream.watch("", 0)
    stream.events({"watch_id": "1", "created": True})
    assert 1 == stream.standing
    stream.watch("", 0)
    assert 0 == stream.standing


def test_a_stall_counts_as_a_whole_if_a_part_of_it_lies_in_the_window() -> None:
    assert 4.0 == longest_stall([1.0, 2.0, 6.0, 6.5], since=5.0, until=6.2)


def test_a_window_without_a_single_write_is_a_stall_as_long_as_itself() -> None:
    assert 3.0 == longest_stall([], since=5.0, until=8.0)
