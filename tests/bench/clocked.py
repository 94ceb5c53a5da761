"""Run this program, and note when it compared and when it kept the data: ``clocked.py REPORT ARGUMENT…``.

Windows are pairs of seconds of the machine's monotonic clock.
"""

import atexit
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from bench.opening import peak_kb

from orchestrator.__main__ import main as program
from orchestrator.commands import keeping

Given = ParamSpec("Given")
Result = TypeVar("Result")
Windows = dict[str, list[tuple[float, float]]]


def clocked(windows: list[tuple[float, float]], function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Return the same function, which notes when it was under way."""

    def noted(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        began = time.monotonic()
        try:
            return function(*args, **kwargs)
        finally:
            windows.append((began, time.monotonic()))

    return noted


def main(report: Path, arguments: list[str]) -> None:
    """Run the program, and write the report when it ends."""
    windows: Windows = {"compared": [], "saved": []}
    keeping.agree = clocked(windows["compared"], keeping.agree)  # type: ignore[attr-defined]  # to note, and nothing else
    keeping.at_once = clocked(windows["saved"], keeping.at_once)  # type: ignore[attr-defined]  # the same

    def write() -> None:
        report.write_text(json.dumps({**windows, "rss_mb": round(peak_kb() / 1024, 1)}))

    atexit.register(write)
    sys.argv[1:] = arguments
    program()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
