"""What clients of every kind may suffer, and what not; and when http counts as closed on purpose."""

import json
from pathlib import Path

import pytest

from orchestrator.lab.clients.crowd import PLAIN, SYNCED
from orchestrator.lab.proof.crowd import closed_at, failures, note, of_client
from orchestrator.probe.tally import ClientReport

CLOSED = 1_000.0
FINE = ClientReport(
    kind=SYNCED,
    attempts=200,
    failed=0,
    failed_at=(),
    longest_stall_s=0.2,
    missed=0,
    broken=(),
    complaints=(),
    writes_over={"http": 60, "https": 40},
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"attempts": 0}, ["AutoSync: nothing that it wanted was done."]),
        ({"failed": 1, "failed_at": (1_001.0,)}, ["AutoSync: 1 of 200 operations failed."]),
        ({"failed": 1, "failed_at": (1_001.0,), "complaints": ("elect-2 ended: gone",)},
         ["AutoSync: 1 of 200 operations failed; the first: elect-2 ended: gone."]),
        ({"missed": 2}, ["AutoSync: 2 revisions were missed."]),
        ({"missed": None}, []),
        ({"broken": ("a and b held it at once", "the lease is expired")},
         ["AutoSync: a and b held it at once.", "AutoSync: the lease is expired."]),
    ],
)  # fmt: skip
def test_what_a_client_suffered_is_not_passed_over(change: dict[str, object], expected: list[str]) -> None:
    assert expected == list(of_client(FINE.model_copy(update=change), CLOSED))


def test_who_knows_http_alone_may_fail_once_it_is_closed_and_not_before() -> None:
    plain = FINE.model_copy(update={"kind": PLAIN, "failed": 2, "failed_at": (999.0, 1_001.0)})
    assert [1, 2] == [failures(plain, CLOSED), failures(plain, None)]
    assert ["http for good: 1 of 200 operations failed."] == list(of_client(plain, CLOSED))
    cut = plain.model_copy(update={"failed": 1, "failed_at": (1_001.0,)})
    assert [] == list(of_client(cut, CLOSED))
    assert ["closed on purpose", "60 over http, 40 over https"] == [note(cut, CLOSED), note(cut, None)]


def test_http_is_closed_when_the_last_member_is_about_to_close_it(tmp_path: Path) -> None:
    state = tmp_path / "plan.yaml.state.jsonl"
    assert closed_at(state, ["one", "two"]) is None
    events = [
        {"event": "opened", "at": "1970-01-01T00:00:00Z"},
        {"event": "step_started", "step": "accept/one", "at": "1970-01-01T00:10:00Z"},
        {"event": "step_started", "step": "switch/one", "at": "1970-01-01T00:15:00Z"},
        {"event": "step_started", "step": "switch/two", "at": "1970-01-01T00:16:40Z"},
        {"event": "step_started", "step": "switch/two", "at": "1970-01-01T00:20:00Z"},
    ]
    state.write_text("".join(f"{json.dumps(each)}\n" for each in events[:3]))
    assert closed_at(state, ["one", "two"]) is None
    state.write_text("".join(f"{json.dumps(each)}\n" for each in events))
    assert CLOSED == closed_at(state, ["one", "two"])
