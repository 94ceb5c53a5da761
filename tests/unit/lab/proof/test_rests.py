"""The list of plain clients at a rest: whoever it misses and whoever it invents is counted and named."""

import json
from dataclasses import replace

import pytest
from unit.lab.proof.outcomes import GOOD

from orchestrator.lab.proof.outcome import shortcomings
from orchestrator.lab.proof.rendering import render
from orchestrator.lab.proof.rests import LOOKS_BACK_S, Rest, listed, of_rest, reported
from orchestrator.probe.spoken import Spoken

PLAIN, SYNCED, MOVED = "198.19.255.253", "198.19.255.252", "198.19.255.254"
EVERYONE = frozenset((PLAIN, SYNCED, MOVED))


def listing(*addresses: str, **fields: object) -> str:
    """What the program lists: these as plain clients of one member, and one over TLS of another."""
    usual = {"is_cut_off": True, "open": 1, "last_seen_s": 0.0, **fields}
    clients = [{**usual, "address": address} for address in addresses]
    others = [{"address": MOVED, "is_cut_off": False, "open": 3, "last_seen_s": 0.0}]
    return json.dumps({"members": [{"clients": clients}, {"clients": others}]})


def rest(text: str, *plain: str) -> Rest:
    return Rest("bridged", EVERYONE, frozenset(plain), frozenset(listed(text)))


RIGHT = rest(listing(PLAIN), PLAIN)
MISSES = rest(listing(), PLAIN)
INVENTS = rest(listing(PLAIN, MOVED, "198.18.0.101"), PLAIN)


def test_a_list_that_is_right_is_said_to_be() -> None:
    assert "0 missed, 0 wrong of 3 at 2 rests" == reported((RIGHT, RIGHT))
    outcome = replace(GOOD, rests=(RIGHT, RIGHT))
    assert () == shortcomings(outcome)
    assert "clients list   0 missed, 0 wrong of 3 at 2 rests\n" in render(outcome)
    assert "clients list" not in render(GOOD)


@pytest.mark.parametrize(
    ("found", "count", "expected"),
    [
        (MISSES, "1 missed, 0 wrong of 3 at 2 rests",
         [f"bridged: {PLAIN} speaks plain http, and is not listed."]),
        (INVENTS, "0 missed, 2 wrong of 3 at 2 rests",
         ["bridged: 198.18.0.101 is listed as a plain client, and is none.",
          f"bridged: {MOVED} is listed as a plain client, and is none."]),
    ],
    ids=["misses", "invents"],
)  # fmt: skip
def test_a_list_that_contradicts_the_clients_is_not_proved(
    found: Rest, count: str, expected: list[str]
) -> None:
    outcome = replace(GOOD, rests=(RIGHT, found))
    assert expected == list(of_rest(found))
    assert tuple(expected) == shortcomings(outcome)
    assert 1 == outcome.exit_code
    assert count in render(outcome)
    assert "Not proved:" in render(outcome)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [PLAIN]),
        ({"open": 0, "last_seen_s": LOOKS_BACK_S - 1}, [PLAIN]),
        ({"open": 1, "last_seen_s": LOOKS_BACK_S + 1}, [PLAIN]),
        ({"open": 0, "last_seen_s": LOOKS_BACK_S + 1}, []),  # it has moved, and was plain before
        ({"is_cut_off": False}, []),
    ],
)
def test_only_who_loses_a_member_and_came_lately_counts_as_listed(
    fields: dict[str, object], expected: list[str]
) -> None:
    assert expected == list(listed(listing(PLAIN, **fields)))


def test_a_client_knows_from_which_address_it_last_spoke_plain_http() -> None:
    moments = iter([10.0, 11.0, 15.0])
    spoken = Spoken(lambda: next(moments))
    spoken.note("", "http")
    spoken.note(PLAIN, "http")
    spoken.note(SYNCED, "https")
    assert {"": 5.0, PLAIN: 4.0} == spoken.plain_s()
