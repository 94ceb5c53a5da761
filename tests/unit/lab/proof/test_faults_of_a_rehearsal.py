"""Which fault strikes in which round, and what is said of how the run went on."""

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unit.lab.proof.outcomes import PROBE

from orchestrator.lab.faults.strikes import FAULTS
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.proof.fault_cases import HEAD, Case, Turn, ended, reported, row, tried
from orchestrator.lab.proof.fault_tour import chosen

TURNS = (Turn("stage", "staged", 3), Turn("accept", "accepting", 3), Turn("switch", "switched", 3))
AT = datetime(2026, 3, 4, 22, 0, 7, tzinfo=UTC)


def names(seed: int, *wanted: str) -> list[list[str]]:
    return [[fault.name for _, fault in migration] for migration in chosen(TURNS, wanted, seed)]


def test_each_named_fault_comes_in_each_round_once() -> None:
    assert [["reboot", "reboot", "reboot"]] == names(1, "reboot")
    assert [["reboot", "kill-etcd", "reboot"], ["kill-etcd", "reboot", "kill-etcd"]] == names(
        1, "reboot", "kill-etcd"
    )


def test_a_seed_chooses_the_same_faults_again_and_another_one_others() -> None:
    assert names(7) == names(7)
    assert 1 == len(names(7))
    assert len({str(names(seed)) for seed in range(20)}) > 10
    assert set(FAULTS) == {name for seed in range(60) for name in names(seed)[0]}


@pytest.mark.parametrize(
    ("fault", "exits", "said"),
    [
        ("reboot", (0,), "went on by itself"),
        ("reboot", (7, 0), "stopped (7), resumed"),
        ("reboot", (9, 7, 0), "stopped (9), stopped (7), resumed"),
        ("kill-orchestrator", (137, 0), "killed, resumed"),
        ("kill-orchestrator", (137, 7, 0), "killed, stopped (7), resumed"),
        ("reboot", (7, 5), "stopped (7), NOT resumed (5)"),
        ("reboot", (5,), "stopped (5), NOT resumed (5)"),
    ],
)
def test_how_the_run_went_on_is_said(fault: str, exits: tuple[int, ...], said: str) -> None:
    case = Case(TURNS[0], FAULTS[fault], "stage/a", AT, exits, PROBE)
    assert said == ended(case)
    assert (exits[-1] == 0) == case.is_proved
    assert len(HEAD) == len(row(case))
    assert "22:00:07" == row(case)[2]


def failing(error: Exception) -> Callable[[], Case]:
    def case() -> Case:
        raise error

    return case


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LabError("the link is not there"), "the link is not there"),
        (subprocess.TimeoutExpired(["ip", "link"], 30.0), "ip link did not end within 30 s"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
    ids=["lab", "timeout", "os"],
)
def test_a_case_that_cannot_be_tried_is_a_case_that_failed_with_its_reason(
    error: Exception, reason: str
) -> None:
    case = tried(TURNS[0], FAULTS["reboot"], failing(error))
    assert (reason, False) == (case.reason, case.is_proved)
    assert ("stage/-", "reboot", "did not strike", "FAILED") == row(case)[:4]
    assert len(HEAD) == len(row(case))


def test_a_fault_that_could_not_strike_is_not_proved_though_the_run_went_on() -> None:
    case = Case(TURNS[0], FAULTS["reboot"], "stage/a", AT, (0,), PROBE, "it could not strike: no such unit")
    assert not case.is_proved
    assert "went on by itself, FAILED" == ended(case)


def test_what_was_tried_is_told_however_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    def cases() -> Iterator[Case]:
        yield Case(TURNS[0], FAULTS["reboot"], "stage/a", AT, (0,), PROBE)
        yield tried(TURNS[1], FAULTS["cut-link"], failing(LabError("the link is not there")))
        raise LabError("the rollback failed")

    assert 1 == reported(cases(), 6, Path("/logs/faults.log"))
    said, _ = capsys.readouterr()
    assert "stage/a" in said
    assert "accept/-: cut-link: the link is not there" in said
    assert "The tour ended early: the rollback failed." in said
    assert "Not proved: 1 of 2 cases, and 4 never began." in said


def test_an_error_of_ours_is_not_swallowed_and_hides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def cases() -> Iterator[Case]:
        yield Case(TURNS[0], FAULTS["reboot"], "stage/a", AT, (0,), PROBE)
        raise LookupError("planted")

    with pytest.raises(LookupError):
        reported(cases(), 2, Path("/logs/faults.log"))
    assert "stage/a" in capsys.readouterr().out


def test_what_never_struck_or_lost_a_write_is_not_proved() -> None:
    assert not Case(TURNS[0], FAULTS["reboot"], "stage/-", None, (0,), PROBE).is_proved
    lost = PROBE.model_copy(update={"lost": 1})
    assert not Case(TURNS[0], FAULTS["reboot"], "stage/a", AT, (0,), lost).is_proved
