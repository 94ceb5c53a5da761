"""The fault matrix: what each case saw is recorded on request, or else compared with what was recorded."""

from collections.abc import Iterator

import pytest
from live.faults import record


@pytest.fixture(autouse=True)
def ended_as_recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    """Cases of this test end as docs/faults.md says."""
    before = set(record.RECORDED)
    yield
    if request.config.getoption("--record-faults"):
        record.write()
        return
    known = record.written()
    for key in set(record.RECORDED) - before:
        seen = record.RECORDED[key]
        assert key in known, f"{key} is not in docs/faults.md: run make faults"
        assert known[key].expected == seen.expected, "run make faults"
        assert known[key].cluster == seen.cluster, "run make faults"
