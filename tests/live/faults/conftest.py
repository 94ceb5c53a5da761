"""The fault matrix: what each case saw is recorded on request, or else compared with what was recorded."""

from collections.abc import Iterator

import pytest
from live.faults.record import RESULTS


@pytest.fixture(autouse=True)
def ended_as_recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    """Cases of this test end as docs/faults.md says."""
    with RESULTS.kept(record=request.config.getoption("--record")):
        yield
