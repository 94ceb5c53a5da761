"""What the prober keeps as it goes is what a walk over all its writes comes to."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.probe.tally import Tally, longest_gap

GAPS = st.lists(st.integers(0, 50), max_size=40)


@given(began=st.integers(0, 1000), gaps=GAPS, last=st.integers(0, 50))
def test_the_longest_stall_is_that_of_a_walk_over_all_writes_at_every_moment(
    began: int, gaps: list[int], last: int
) -> None:
    tally = Tally()
    tally.start(began)
    times = [*accumulate(gaps, initial=began)]
    for number, now in enumerate(times[1:], start=1):
        tally.acknowledge(f"/{number}", "", offered=now, now=now, scheme="http")
        for end in (now, now + last):
            stall = tally.stall(end)
            assert longest_gap([*times[: number + 1], end]) == (stall.took_s, stall.after_s)
        assert longest_gap(times[: number + 1])[0] == tally.longest_gap.took_s
        assert number == tally.writes


@given(gaps=GAPS, end=st.integers(0, 50))
def test_what_was_written_before_its_start_is_no_part_of_a_stall(gaps: list[int], end: int) -> None:
    tally = Tally()
    for now in accumulate(gaps):
        tally.acknowledge("/", "", offered=now, now=now, scheme="http")
    tally.start(1e4)
    stall = tally.stall(1e4 + end)
    assert (end, 0) == (stall.took_s, stall.after_s)
