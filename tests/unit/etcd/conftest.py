"""Certificates are made as a test begins, so its NOW has to be that moment too."""

import sys
from datetime import UTC, datetime

import pytest


@pytest.fixture(autouse=True)
def _now(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = sys.modules.get("unit.etcd.test_preflight_hosts")  # other files take their sites from there
    for module in filter(None, (request.module, shared)):
        if hasattr(module, "NOW"):
            monkeypatch.setattr(module, "NOW", datetime.now(UTC))
