"""Which event may follow which, when it is recorded and when it is read: the same, for every event."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from engine.tales import TALES
from hypothesis import given, settings
from hypothesis import strategies as st
from support.event_logs import BEGAN, EVENTS, OPENED, OVER, ROUND, STARTED, SUCCEEDED
from support.fuzzing import EXAMPLES

from orchestrator.engine import lines
from orchestrator.engine.events import (
    HandedOver,
    Recorded,
    Recovered,
    RoundBegan,
    RunBegan,
    RunEnded,
    Saved,
    StepFailed,
    StepStarted,
)
from orchestrator.engine.order import OutOfOrderError
from orchestrator.engine.progress import Progress
from orchestrator.engine.state_file import MemoryEventLog, StateFile
from orchestrator.errors import RefusedError

KEPT = "/var/lib/orchestrator/ab12cd34"
SAVED = Saved(host="a", directory=KEPT, data=f"{KEPT}/snapshot.db", instructions=f"{KEPT}/RESTORE.txt")
BOTH = RoundBegan(round="stage", target="staged", hosts=("a", "b"), order="one by one")
AT_ONCE = BOTH.model_copy(update={"at_once": True})
NEXT = RoundBegan(round="accept", target="accepting", hosts=("a",), order="leader last")
FAILED = StepFailed(step="stage/a", host="a", reason="no")
HANDED = HandedOver(step="stage/a", host="a", successor="b", number=1)
AGAIN = BEGAN.model_copy(update={"is_resumed": True})
ACCEPT = StepStarted(
    step="accept/a", host="a", source="staged", target="accepting", attempt=1, operations="d3" * 32
)
STOPPED = RunEnded(outcome="stopped")
DOUBT = (OPENED, BEGAN, ROUND, STARTED)
OTHER = STARTED.model_copy(update={"step": "stage/b", "host": "b"})
DONE = SUCCEEDED.model_copy(update={"step": "stage/b", "host": "b"})


def but(event: Recorded, **changes: object) -> Recorded:
    """Return an event with other values."""
    return type(event).model_validate({**event.model_dump(), **changes})


# What came before, what cannot come next, and why.
REFUSED: list[tuple[Sequence[Recorded], Recorded, str]] = [
    ((), STARTED, "'step_started' cannot stand before the header"),
    ((OPENED,), OPENED, "'opened' cannot stand before a run has begun"),
    ((OPENED,), OVER, "'run_ended' cannot stand before a run has begun"),
    ((OPENED,), STARTED, "'step_started' cannot stand before a run has begun"),
    ((OPENED, SAVED), SAVED, "was saved already"),
    ((OPENED,), but(SAVED, directory="/tmp"), "it was not saved in /var/lib/orchestrator/ab12cd34"),  # noqa: S108 -- a text
    ((OPENED,), but(SAVED, data="/etc/passwd"), "it was not saved in"),
    ((OPENED, BEGAN), SAVED, "'saved' cannot stand between two steps"),
    ((OPENED, BEGAN), Recovered(), "'recovered' cannot stand between two steps"),
    ((OPENED,), AGAIN, "no step was begun before"),
    (DOUBT, BEGAN, "a step was begun before"),
    ((OPENED,), but(BEGAN, runbook="d9" * 32), "its runbook is not the header's"),
    ((OPENED, BEGAN), STARTED, "round stage has not begun"),
    ((OPENED, BEGAN, ROUND), FAILED, "'step_failed' cannot stand between two steps"),
    ((OPENED, BEGAN, ROUND), SUCCEEDED, "stage/a was not begun"),
    ((OPENED, BEGAN, ROUND), OVER, "a has not ended"),
    ((OPENED, BEGAN, ROUND), NEXT, "a did not take the round before"),
    ((OPENED, BEGAN, ROUND), ACCEPT, "round accept has not begun"),
    ((OPENED, BEGAN, ROUND), but(STARTED, host="b"), "stage/a is no step of b"),
    ((OPENED, BEGAN, ROUND), but(STARTED, host="b", step="stage/b"), "b does not take this round"),
    ((OPENED, BEGAN, ROUND), but(STARTED, target="sealed"), "round stage leads to 'staged'"),
    ((OPENED, BEGAN, ROUND), but(STARTED, attempt=2), "attempt 2 cannot follow attempt 0"),
    ((OPENED, BEGAN, ROUND), but(HANDED, number=2), "handover 2 cannot follow handover 0"),
    ((OPENED, BEGAN, ROUND), but(HANDED, successor="a"), "it hands over to itself"),
    ((OPENED, BEGAN, BOTH, HANDED), but(STARTED, step="stage/b", host="b"), "stage/a is under way"),
    ((OPENED, BEGAN, BOTH, HANDED), OVER, "stage/a has not ended"),
    ((*DOUBT, FAILED), SUCCEEDED, "'step_succeeded' cannot stand after a step that failed"),
    ((OPENED, BEGAN), but(AT_ONCE, last="a"), "a cannot go last where all go at once"),
    ((OPENED, BEGAN, AT_ONCE), HANDED, "nobody hands over in a round that is taken at once"),
    ((*DOUBT, FAILED), FAILED, "stage/a is not under way"),
    ((*DOUBT, FAILED), but(STARTED, attempt=2), "'step_started' cannot stand after a step that failed"),
    (DOUBT, STARTED, "stage/a is under way"),
    ((OPENED, BEGAN, BOTH, STARTED), OTHER, "stage/a is under way"),
    ((OPENED, BEGAN, BOTH, STARTED), but(SUCCEEDED, step="stage/b", host="b"), "stage/a is under way"),
    ((OPENED, BEGAN, AT_ONCE, STARTED, OTHER), OTHER, "stage/b is under way"),
    ((OPENED, BEGAN, AT_ONCE, STARTED, OTHER), OVER, "stage/a, stage/b has not ended"),
    ((OPENED, BEGAN, AT_ONCE, STARTED, OTHER, SUCCEEDED), OVER, "stage/b has not ended"),
    (
        (OPENED, BEGAN, AT_ONCE, STARTED, OTHER, FAILED),
        but(STARTED, attempt=2),
        "'step_started' cannot stand after a step that failed",
    ),
    (
        (OPENED, BEGAN, AT_ONCE, STARTED, OTHER, SUCCEEDED),
        SUCCEEDED,
        "a does not take this round, or has taken it",
    ),
    (DOUBT, but(SUCCEEDED, target="stagad"), "round stage leads to 'staged'"),
    (DOUBT, but(SUCCEEDED, is_adopted=True), "it was begun by this run"),
    (DOUBT, OVER, "stage/a has not ended"),
    ((*DOUBT, AGAIN, ROUND), SUCCEEDED, "it was not begun by this run"),
    ((*DOUBT, AGAIN, ROUND), but(STARTED, attempt=2), "attempt 2 cannot follow attempt 1"),
    ((*DOUBT, AGAIN, ROUND), but(STARTED, operations="d9" * 32), "it is not the step that began on line 4"),
    ((*DOUBT, AGAIN), OVER, "stage/a has not ended"),
    ((*DOUBT, AGAIN, NEXT), ACCEPT, "stage/a has not ended"),
    ((*DOUBT, FAILED, STOPPED, AGAIN, ROUND), STARTED, "attempt 1 cannot follow attempt 1"),
    ((*EVENTS, NEXT), but(ACCEPT, source="plaintext"), "a stands in 'staged'"),
    ((*EVENTS, OVER), ROUND, "'round_began' cannot stand after the end of a run"),
    ((*EVENTS, OVER), OVER, "'run_ended' cannot stand after the end of a run"),
    ((OPENED, Recovered(), STARTED), STARTED, "attempt 1 cannot follow attempt 1"),
    ((OPENED, Recovered()), SUCCEEDED, "stage/a was not begun"),
    (
        (OPENED, Recovered(), but(HANDED, number=7)),
        but(HANDED, number=7),
        "handover 7 cannot follow handover 7",
    ),
    ((OPENED, Recovered()), ROUND, "'round_began' cannot stand among what the hosts remembered"),
]
ALLOWED: list[Sequence[Recorded]] = [
    (OPENED, SAVED, Recovered(), but(HANDED, number=7), but(STARTED, attempt=3), AGAIN, ROUND,
     but(STARTED, attempt=3)),
    (*DOUBT, STOPPED, AGAIN, ROUND, STARTED, SUCCEEDED, OVER),
    (*DOUBT, AGAIN, ROUND, but(SUCCEEDED, is_adopted=True), OVER),
    (*DOUBT, FAILED, STOPPED, AGAIN, ROUND, HANDED, but(STARTED, attempt=2)),
    (OPENED, BEGAN, AT_ONCE, STARTED, OTHER, SUCCEEDED, DONE, OVER),
    (OPENED, BEGAN, AT_ONCE, STARTED, OTHER, DONE, SUCCEEDED, OVER),
    (OPENED, BEGAN, AT_ONCE, STARTED, OTHER, DONE, FAILED, STOPPED, AGAIN, ROUND, but(STARTED, attempt=2)),
    (OPENED, BEGAN, AT_ONCE, STARTED, OTHER, AGAIN, BOTH, STARTED, SUCCEEDED, but(DONE, is_adopted=True),
     OVER),
    (*DOUBT, but(AGAIN, direction="back", runbook="d9" * 32),
     but(ROUND, round="undo-stage", target="plaintext"),
     but(STARTED, step="undo-stage/a", source="staged", target="plaintext")),
]  # fmt: skip


@pytest.mark.parametrize(("before", "event", "words"), REFUSED)
def test_what_cannot_come_next_is_refused_when_recorded_and_when_read(
    tmp_path: Path, before: Sequence[Recorded], event: Recorded, words: str
) -> None:
    path = tmp_path / "state.jsonl"
    with StateFile(path) as event_log:
        for one in before:
            event_log.append(one)
        sound = path.read_bytes()
        with pytest.raises(OutOfOrderError, match=words):
            event_log.append(event)
        assert sound == path.read_bytes()
    memory = MemoryEventLog(tuple(before))
    with pytest.raises(OutOfOrderError, match=words):
        memory.append(event)

    raw = written((*before, event))
    path.write_bytes(raw)
    for opener in OPENERS:
        with pytest.raises(
            RefusedError, match=rf"state\.jsonl:{len(before) + 1}: .*{words}.*; nothing was changed"
        ):
            opener(path)
    assert raw == path.read_bytes()


@pytest.mark.parametrize("events", ALLOWED)
def test_what_can_happen_is_recorded_and_read(tmp_path: Path, events: Sequence[Recorded]) -> None:
    path = tmp_path / "state.jsonl"
    with StateFile(path) as event_log:
        for event in events:
            event_log.append(event)
        progress = event_log.progress
    assert progress == lines.parse(path, path.read_bytes()).progress


OPENERS: tuple[Callable[[Path], object], ...] = (
    StateFile,
    lambda path: lines.parse(path, path.read_bytes()),
)


def written(events: Sequence[Recorded]) -> bytes:
    """Return a state file of any events, whose chain fits."""
    raw, chain = b"", ""
    for event in events:
        line, chain = lines.line_of(event, chain)
        raw += line
    return raw


@pytest.fixture(scope="module")
def heap(tmp_path_factory: pytest.TempPathFactory) -> list[Recorded]:
    """All events of all tales: a heap to draw from."""
    tales = [make(tmp_path_factory.mktemp("tale")).events for make in TALES.values()]
    return [
        *(event for events in tales for event in events),
        *EVENTS,
        HANDED,
        NEXT,
        ACCEPT,
        STOPPED,
        OVER,
        SAVED,
    ]


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_recording_refuses_exactly_what_reading_refuses(heap: list[Recorded], data: st.DataObject) -> None:
    numbers = st.integers(0, len(heap) - 1)
    start = data.draw(numbers)
    several = heap[start : start + data.draw(st.integers(0, 30))]
    events = (
        *heap[: data.draw(st.integers(0, 40))],
        *several,
        *(heap[at] for at in data.draw(st.lists(numbers, max_size=9))),
    )

    taken: list[Recorded] = []
    event_log = MemoryEventLog()
    for event in events:
        raw = written((*taken, event))
        reason = event_log.progress.refusal(event)
        if reason:
            with pytest.raises(OutOfOrderError, match=re.escape(reason)):
                event_log.append(event)
            with pytest.raises(RefusedError, match=re.escape(f"s:{len(taken) + 1}: {reason}; ")):
                lines.parse(Path("s"), raw)
        else:
            event_log.append(event)
            taken.append(event)
            content = lines.parse(Path("s"), raw)
            assert (event_log.progress, tuple(taken)) == (content.progress, content.events)


def test_every_event_has_its_rule_in_every_phase(heap: list[Recorded]) -> None:
    kinds = {type(event): event for event in heap}
    assert set(Recorded.__args__) == set(kinds)
    for end in range(len(heap)):
        progress = Progress()
        for event in heap[:end]:
            try:
                progress = progress.after(event)
            except OutOfOrderError:
                break
        for event in kinds.values():
            assert isinstance(progress.refusal(event), str | None)


def test_a_run_that_began_tells_who_holds_it() -> None:
    assert isinstance(BEGAN, RunBegan)
    assert BEGAN == Progress.of((OPENED, BEGAN)).began
