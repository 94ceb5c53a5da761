"""Options of the test run."""

import os

import pytest
from hypothesis import HealthCheck, settings

# In the gate the same examples each time: red for what was changed, not by chance. make fuzz looks for more.
settings.register_profile("gate", derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fuzz" if "FUZZ_EXAMPLES" in os.environ else "gate")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-faults",
        action="store_true",
        help="write what the fault cases saw to tests/results/faults.jsonl",
    )
