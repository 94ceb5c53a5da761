"""Whoever presses Ctrl-C is told what is in flight, and for how long at most."""

from orchestrator.engine.events import RunEnded, StepFailed, StepStarted, StepSucceeded
from orchestrator.migrations.table import DEADLINE_S
from orchestrator.report.flight import Flight

NOTHING = "no step is in flight: stopping before the next one"


def begun(step: str = "accept/server2") -> StepStarted:
    return StepStarted(step=step, host="server2", source="a", target="b", attempt=1, operations="d" * 64)


def test_a_step_is_in_flight_until_it_ended() -> None:
    now = [100.0]
    flight = Flight(90.0, clock=lambda: now[0])
    assert NOTHING == str(flight)
    for end in (
        StepSucceeded(step="accept/server2", host="server2", target="b", took_s=1.0),
        StepFailed(step="accept/server2", host="server2", reason="no"),
        RunEnded(outcome="stopped"),
    ):
        flight.take(begun())
        now[0] += 10.0
        left_s = DEADLINE_S + 90.0 - 10.0
        assert f"accept/server2 is in flight, for {left_s:.0f} s at most: stopping after that" == str(flight)
        flight.take(end)
        assert NOTHING == str(flight)


def test_several_steps_are_in_flight_until_the_last_has_ended() -> None:
    flight = Flight(90.0, clock=lambda: 100.0)
    flight.take(begun("stage/server1"))
    flight.take(begun("stage/server2"))
    assert str(flight).startswith("stage/server1, stage/server2 are in flight, for ")
    flight.take(StepSucceeded(step="stage/server1", host="server1", target="b", took_s=1.0))
    assert str(flight).startswith("stage/server2 is in flight, for ")
