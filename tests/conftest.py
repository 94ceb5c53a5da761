"""Options of the test run."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-faults",
        action="store_true",
        help="write what the fault cases saw to tests/results/faults.jsonl",
    )
