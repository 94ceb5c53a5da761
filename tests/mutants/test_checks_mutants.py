"""A check that always says the same is noticed by a test that judges it alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.etcd.checks import item
from orchestrator.etcd.checks.preflight import CHECKLIST

TESTS = Path(__file__).parents[1]
CHECKS = {one.name for one in CHECKLIST if one.make is not item._nothing}


@pytest.mark.parametrize("said", ["pass", "fail"])
def test_a_check_that_says_always_the_same_is_noticed(said: str) -> None:
    files = sorted(str(path) for path in (TESTS / "unit/etcd").rglob("test_preflight_*.py"))
    words = ("-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "mutants.same_verdict", *files)
    environment = {**os.environ, "SAME_VERDICT": said, "PYTHONPATH": str(TESTS)}
    reported = subprocess.run(
        (sys.executable, "-m", "pytest", *words),
        cwd=TESTS.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "NOTICED" in reported.stdout, reported.stdout + reported.stderr
    noticed = json.loads(reported.stdout.partition("NOTICED ")[2].splitlines()[0])
    assert [] == sorted(CHECKS - set(noticed))
