"""Run a command on the bastion and write down what it cost: ``measured.py REPORT COMMAND…``.

Wall time, CPU seconds and peak memory of the command and of everything that it started, what stays in the
background as well; connections, turns and bytes of SSH. The exit code is the command's own.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bench.wire import Wire

PR_SET_CHILD_SUBREAPER = 36
LOOK_S = 0.2


def main(report: Path, command: list[str]) -> int:
    ctypes.CDLL(None).prctl(
        PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0
    )  # what it leaves in the background comes to us
    memory = Memory()
    with Wire() as wire:
        began_at, began = time.time(), time.monotonic()
        process = subprocess.Popen(command)
        memory.start()
        exit_code = process.wait()
        wall_s = time.monotonic() - began
        memory.stop()
    _end_what_is_left()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "began_at": began_at,
        "wall_s": round(wall_s, 3),
        "cpu_s": round(used.ru_utime + used.ru_stime, 3),
        "memory_mb": round(memory.peak_kb / 1024, 1),
        **wire.traffic.counts(),
    }
    report.write_text(json.dumps(found))
    return exit_code


class Memory:
    """The most memory that our children had together, pages that they share counted once."""

    def __init__(self) -> None:
        self.peak_kb = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ending.wait(LOOK_S):
            self.peak_kb = max(self.peak_kb, sum(map(_pss_kb, descendants(os.getpid()))))


def descendants(pid: int) -> Iterator[int]:
    """Yield every process below one."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from descendants(child)


def _pss_kb(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _end_what_is_left() -> None:
    """End what the command left in the background, such as connections kept open, and wait for it."""
    for child in list(descendants(os.getpid())):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)
    with suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
