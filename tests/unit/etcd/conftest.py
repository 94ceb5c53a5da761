"""Certificates are made as a test begins, so its NOW has to be that moment too."""

from datetime import UTC, datetime

import pytest
from support import sites


@pytest.fixture(autouse=True)
def _now(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    for module in (request.module, sites):
        if hasattr(module, "NOW"):
            monkeypatch.setattr(module, "NOW", now)
