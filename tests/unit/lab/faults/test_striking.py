"""A strike happens once, at its moment; what the state file says decides which moment it is."""

import json
import threading
from pathlib import Path

from orchestrator.lab.faults.striking import Steps, striking


def line(event: str, **fields: object) -> str:
    return json.dumps({"event": event, **fields}) + "\n"


def started(step: str) -> str:
    return line("step_started", step=step)


def test_steps_are_those_of_the_round_each_once_and_a_torn_line_is_none(tmp_path: Path) -> None:
    state_file = tmp_path / "state"
    steps = Steps(state_file, "stage")
    assert () == steps.begun()
    state_file.write_text(
        line("run_began", direction="forward")
        + started("stage/a")
        + started("stage/a")
        + started("undo-stage/a")
        + started("stage/b")[:-5]
    )
    assert ("stage/a",) == steps.begun()
    with state_file.open("a") as opened:
        opened.write(started("stage/b")[-5:])
    assert ("stage/a", "stage/b") == steps.begun()


def test_steps_before_the_last_way_back_are_of_an_earlier_run(tmp_path: Path) -> None:
    state_file = tmp_path / "state"
    before = line("run_began", direction="forward") + started("stage/a")
    state_file.write_text(before + line("run_began", direction="back") + started("undo-stage/a"))
    assert () == Steps(state_file, "stage").begun()


def test_it_strikes_once_and_what_goes_wrong_is_told() -> None:
    moment, struck = threading.Event(), list[int]()

    def strike() -> None:
        struck.append(1)
        raise OSError("no cable")

    with striking(moment.is_set, strike) as seen:
        moment.set()
        while not struck:
            pass
    assert [1] == struck
    assert seen.began is not None
    assert "no cable" == str(seen.error)


def test_a_moment_that_never_comes_is_no_strike() -> None:
    with striking(lambda: False, lambda: None) as seen:
        pass
    assert seen.began is None
