"""The fault matrix: what each case saw is recorded on request, or else compared with what was recorded."""

from collections.abc import Iterator

import pytest
from live.faults import cases


@pytest.fixture(autouse=True)
def ended_as_recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    """Cases of this test end as docs/faults.md says."""
    before = set(cases.RECORDED)
    yield
    if request.config.getoption("--record-faults"):
        cases.write()
        return
    known = cases.written()
    for key in set(cases.RECORDED) - before:
        seen = cases.RECORDED[key]
        assert key in known, f"{key} is not in docs/faults.md: run make faults"
        assert known[key].expected == seen.expected, "run make faults"
        assert known[key].cluster == seen.cluster, "run make faults"
