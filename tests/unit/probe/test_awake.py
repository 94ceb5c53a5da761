"""The probe's clock: it counts what we were awake; whoever asks first after a pause hears the same."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.probe.awake import BEAT_S, GRACE_S, Awake


class Clock:
    """Goes as it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_pause_is_not_counted_whether_or_not_a_beat_has_told_of_it() -> None:
    clock = Clock()
    awake = Awake(clock)
    for _ in range(20):
        clock.now += BEAT_S
        awake.beat()
    assert 2.0 == round(awake(), 6)
    assert 0.0 == round(awake.slept_s, 6)
    clock.now += 60.0
    before = awake(), awake.slept_s
    awake.beat()
    assert before == (awake(), awake.slept_s)
    assert (2.0 + GRACE_S, 60.0 - GRACE_S) == tuple(round(each, 6) for each in before)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=50))
def test_it_never_goes_back_and_what_is_left_was_slept(moves: list[tuple[bool, float]]) -> None:
    clock = Clock()
    awake, last = Awake(clock), (0.0, 0.0)
    for is_beat, after in moves:
        clock.now += after
        if is_beat:
            awake.beat()
        seen = awake(), awake.slept_s
        assert seen[0] >= last[0]
        assert seen[1] >= last[1] - 1e-6
        assert abs(sum(seen) - (clock.now - 100.0)) < 1e-6
        last = seen
