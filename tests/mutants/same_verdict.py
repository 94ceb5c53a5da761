"""A pytest plugin: every check of the checklist says always the same, and who noticed is printed."""

import json
import os
from collections import defaultdict
from typing import Any

import pytest

from orchestrator.etcd.checks.item import Finding, Item
from orchestrator.host.checks import Check, Remark
from orchestrator.host.questions import Answers

SAID = os.environ["SAME_VERDICT"]
JUDGED: dict[str, set[str]] = defaultdict(set)  # checks by the test that judges them
RED: set[str] = set()
running = ""


def _same(self: Item, check: Check, _answers: Answers) -> tuple[Finding, ...]:
    JUDGED[running].add(self.name)
    return (self.finding(check.where, Remark("pass" if SAID == "pass" else "fail", "the same")),)


def pytest_configure() -> None:
    type.__setattr__(Item, "findings", _same)


def pytest_runtest_setup(item: pytest.Item) -> None:
    global running  # noqa: PLW0603 one test runs at a time
    running = item.nodeid


def pytest_runtest_logreport(report: Any) -> None:  # noqa: ANN401 pytest's own
    if report.failed:
        RED.add(report.nodeid)


def pytest_sessionfinish() -> None:
    noticed = {name for test in RED for name in JUDGED[test] if len(JUDGED[test]) == 1}
    print(f"\nNOTICED {json.dumps(sorted(noticed))}")  # noqa: T201 read by who runs it
