"""What a run's probe went through is shown while it runs, at its end, in the state file and in the report."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.reported import material, usual, walked

from orchestrator.engine.events import RECORDED, Account, Recorded, RunBegan, RunEnded, Walked
from orchestrator.engine.progress import Progress
from orchestrator.report import board, sentences
from orchestrator.report.html.page import write
from orchestrator.report.view import View

SAID = "probe: 0 of 41,288 failed, longest stall 0.12 s"


def account(at: datetime, operations: int, **changed: object) -> Account:
    seen = Account(
        since=at - timedelta(seconds=60),
        operations=operations,
        failed=0,
        lost=0,
        longest_stall_s=0.121,
        stalled_at=at - timedelta(seconds=30),
    )
    return seen.model_copy(update=changed)


@pytest.fixture
def events(tmp_path: Path) -> list[Recorded]:
    """A run in two processes: only the second has a probe."""
    _, _, found = walked(tmp_path)
    second = max(number for number, event in enumerate(found) if isinstance(event, RunBegan))
    return [
        event.model_copy(update={"account": account(event.at, 41_288 - (len(found) - 1 - number))})
        if isinstance(event, Walked) and number > second
        else event
        for number, event in enumerate(found)
    ]


def test_it_is_in_the_table_while_the_run_is_on_and_in_the_summary_at_its_end(
    tmp_path: Path, events: list[Recorded]
) -> None:
    cluster, _, _ = walked(tmp_path)
    during = View.of(events[:-1], cluster, usual())
    end = View.of(events, cluster, usual())
    assert during is not None
    assert end is not None
    shown = board.lines(during, events[-1].at, 120, 40, is_painted=False)
    assert "probe: 0 of 41,287 failed, longest stall 0.12 s" in shown
    assert sentences.summary(end).endswith(f"; {SAID}")


def test_a_process_without_a_probe_says_nothing_of_the_one_before(
    tmp_path: Path, events: list[Recorded]
) -> None:
    cluster, _, _ = walked(tmp_path)
    last = events[-1]
    assert isinstance(last, RunEnded)
    stopped = last.model_copy(update={"outcome": "stopped"})
    again = next(event for event in reversed(events) if isinstance(event, RunBegan))
    view = View.of([*events[:-1], stopped, again], cluster, usual())
    assert view is not None
    assert view.account is None


def test_what_was_lost_is_said(events: list[Recorded]) -> None:
    seen = account(events[-1].at, 1000, failed=3, lost=2, longest_stall_s=75.0)
    assert "probe: 3 of 1,000 failed, 2 lost, longest stall 1 min 15 s" == sentences.of_account(seen)


def test_the_state_file_keeps_it_and_a_file_without_it_looks_as_before(events: list[Recorded]) -> None:
    lines = [event.model_dump_json() for event in events]
    assert events == [RECORDED.validate_json(line) for line in lines]
    assert any('"account":' not in line and '"round_began"' in line for line in lines)
    assert Progress.of(events).is_finished


def test_the_report_draws_it_for_each_process_that_had_one(events: list[Recorded]) -> None:
    page = write(material(events))
    assert 1 == page.count('<tr><th scope="row">run --probe</th><td class="number">41,288</td>')
    assert "Availability for clients" in page
