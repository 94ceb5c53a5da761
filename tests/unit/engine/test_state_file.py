"""The state file: what was announced is on disk, what is torn is dropped, what is wrong is refused."""

import os
from pathlib import Path

import pytest
from full_disk import room_for
from support.event_logs import BEGAN, EVENTS, OPENED, OVER, SUCCEEDED, write

from orchestrator.engine import disk
from orchestrator.engine.events import (
    Recorded,
    RunBegan,
)
from orchestrator.engine.state_file import StateFile
from orchestrator.errors import LockedError, RefusedError, UnwritableError

BACK: list[Recorded] = [
    RunBegan(pid=77, host="bastion", user="anna", runbook="d3" * 32, is_resumed=True, direction="back"),
    OVER,
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plan.yaml.state.jsonl"


def test_events_come_back_as_they_were(path: Path) -> None:
    write(path)
    with StateFile(path) as event_log:
        assert EVENTS == event_log.events
        assert {"a": "staged"} == event_log.progress.states
    assert 0o600 == path.stat().st_mode & 0o777


def test_each_event_is_synced_before_append_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        synced.append(path.read_bytes())

    monkeypatch.setattr(os, "fsync", fsync)
    with StateFile(path) as event_log:
        event_log.append(OPENED)
        assert synced[-1].endswith(b"\n")
        assert path.read_bytes() == synced[-1]


def test_a_torn_last_line_is_dropped_with_a_warning(path: Path) -> None:
    write(path)
    whole = path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    for cut in range(1, len(last)):
        path.write_bytes(whole[:-cut])
        warnings: list[str] = []
        with StateFile(path, warnings.append) as event_log:
            assert EVENTS[:-1] == event_log.events
            assert "a" in event_log.progress.unsettled
        assert ["dropped a torn last line"] == [text.split(": ")[1][:24] for text in warnings]
    with StateFile(path) as event_log:
        event_log.append(SUCCEEDED)
    with StateFile(path) as event_log:
        assert EVENTS == event_log.events


MISFIT = "this line is not as it was written, or one before it is missing"


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda lines: [lines[0], b"{}\n", *lines[2:]], r"plan.yaml.state.jsonl:2: not an event"),
        (lambda lines: [lines[0], b"\n", *lines[2:]], ":2: not an event"),
        (lambda lines: [b"[" * 100_000 + b"\n", *lines], ":1: not an event"),
        (lambda lines: [b"\xff\xfe\n", *lines], ":1: not an event"),
        (lambda lines: lines[1:], f":1: {MISFIT}"),
        (lambda lines: [*lines, lines[0]], f":6: {MISFIT}"),
        (lambda lines: [*lines[:2], *lines[3:]], f":3: {MISFIT}"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], f":4: {MISFIT}"),
        (lambda lines: [lines[0], lines[1].replace(b"anna", b"anne"), *lines[2:]], f":2: {MISFIT}"),
        (lambda lines: [lines[0].replace(b'"chain":"', b'"chain":"0')[:-1] + b"\n", *lines[1:]], ":1: not"),
        (lambda lines: [lines[0].replace(b'"format":3', b'"format":9'), *lines[1:]], "has format 9"),
    ],
)
def test_anything_else_malformed_is_refused_and_left_alone(path: Path, damage, complaint: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 -- a lambda of the table above
    write(path)
    damaged = b"".join(damage(path.read_bytes().splitlines(keepends=True)))
    path.write_bytes(damaged)

    with pytest.raises(RefusedError, match=complaint):
        StateFile(path)
    assert damaged == path.read_bytes()


def test_a_second_run_is_refused_and_reported_who_holds_the_file(path: Path) -> None:
    with StateFile(path) as event_log:
        event_log.append(OPENED)
        event_log.append(BEGAN)
        with pytest.raises(
            LockedError, match=r"anna@bastion, process 77, since .* UTC; last event: run began"
        ):
            StateFile(path)


def test_a_file_in_which_nothing_was_written_leaves_no_trace(path: Path) -> None:
    with StateFile(path):
        pass
    assert not path.exists()


def test_only_a_file_without_steps_can_be_forgotten(path: Path) -> None:
    with StateFile(path) as event_log:
        event_log.append(OPENED)
        event_log.forget()
        for event in EVENTS:
            event_log.append(event)
        with pytest.raises(ValueError, match="steps that were begun"):
            event_log.forget()


@pytest.mark.parametrize("name", ["missing/state.jsonl", ".", "/proc/state.jsonl"])
def test_a_place_that_cannot_hold_the_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError, match=r"nothing was changed: .*; fix that, or name another place"):
        StateFile(tmp_path / name)


def test_a_full_disk_leaves_no_half_line(path: Path) -> None:
    write(path)
    whole = path.read_bytes()
    with StateFile(path) as event_log:
        with room_for(len(whole) + 10), pytest.raises(UnwritableError, match="'run_began' cannot be noted"):
            event_log.append(BACK[0])
        assert whole == path.read_bytes()
        event_log.append(BACK[0])
    with StateFile(path) as event_log:
        assert [*EVENTS, BACK[0]] == event_log.events


def test_a_story_that_cannot_be_kept_is_not_begun_anew(path: Path) -> None:
    write(path)
    with StateFile(path) as event_log:
        for event in BACK:
            event_log.append(event)
        whole = path.read_bytes()
        with (
            room_for(len(whole) - 10),
            pytest.raises(RefusedError, match=r"state\.jsonl\.ab12cd34: File too large"),
        ):
            event_log.set_aside()
        assert [path] == list(path.parent.iterdir())
        assert whole == path.read_bytes()
        kept = event_log.set_aside()
    assert (whole, 0o600) == (kept.read_bytes(), kept.stat().st_mode & 0o777)


def test_nothing_is_written_behind_half_a_line_that_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path)
    whole = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with StateFile(path) as event_log:
        with monkeypatch.context() as broken:
            broken.setattr(os, "ftruncate", fail)
            with room_for(len(whole) + 10), pytest.raises(UnwritableError, match="File too large"):
                event_log.append(BACK[0])
        torn = path.read_bytes()
        assert torn.startswith(whole)
        assert len(whole) + 10 == len(torn)
        with pytest.raises(UnwritableError, match="half a line is there already"):
            event_log.append(BACK[0])
        assert torn == path.read_bytes()
    with StateFile(path) as event_log:
        assert EVENTS == event_log.events


def test_a_story_that_was_kept_before_a_crash_is_kept_again(path: Path) -> None:
    write(path)
    with StateFile(path) as event_log:
        for event in BACK:
            event_log.append(event)
        whole = path.read_bytes()
        kept = path.with_name(f"{path.name}.ab12cd34")
        kept.write_bytes(whole[:100])
        assert kept == event_log.set_aside()
    assert whole == kept.read_bytes()
    assert [kept] == list(path.parent.iterdir())


def test_who_holds_the_file_is_shown_escaped(path: Path) -> None:
    with StateFile(path) as event_log:
        event_log.append(OPENED)
        event_log.append(BEGAN.model_copy(update={"user": "\x1b]0;title\x07anna"}))
        with pytest.raises(
            LockedError, match=r"in use by \\x1b\]0;title\\x07anna@bastion, process 77"
        ) as refused:
            StateFile(path)
        assert str(refused.value).isprintable()


def test_a_file_grows_no_larger_than_it_can_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path)
    whole = path.read_bytes()
    monkeypatch.setattr(disk, "LARGEST_BYTES", len(whole) + 10)
    with StateFile(path) as event_log:
        with pytest.raises(UnwritableError, match="File too large"):
            event_log.append(BACK[0])
        assert whole == path.read_bytes()
