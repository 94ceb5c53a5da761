"""Options of the test run."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

# In the gate the same examples each time: red for what was changed, not by chance. make fuzz looks for more.
settings.register_profile("gate", derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", print_blob=True, suppress_health_check=[HealthCheck.too_slow])
if "FUZZ_EXAMPLES" in os.environ:
    settings.load_profile("fuzz")
else:
    settings.load_profile("gate")
    # nor by which modules are loaded: their constants would be mixed into the examples
    assert "is_local_module_file" in vars(providers)
    vars(providers)["is_local_module_file"] = lambda _path: False


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record",
        action="store_true",
        help="write what the cases of docs/faults.md and docs/hosts.md saw to tests/results, all of them",
    )
