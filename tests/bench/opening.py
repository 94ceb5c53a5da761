"""Run this program, and write down what only its own process knows: ``opening.py REPORT ARGUMENT…``.

How many connections to hosts it was opening at once, at most, and the most memory that it had (RSS). With the
one argument ``connecting`` it does nothing but open a connection to every host of ``plan.yaml``.
"""

import atexit
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko

from orchestrator.__main__ import main as program
from orchestrator.host.questions import Script
from orchestrator.lab.provisioning.plan_copy import PLAN, read
from orchestrator.remote.route import Route
from orchestrator.remote.ssh import SshHosts
from orchestrator.remote.ways import Ways

CONNECTING = "connecting"


class Openings:
    """Counts connections that are being opened: from the first dialling to the end of the login."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        self._connect = Ways.connect

    def install(self) -> None:
        """Count them from now on."""
        counting = self

        def connect(ways: Ways, host: str, route: Route) -> paramiko.Transport:
            with counting.one_more():
                return counting._connect(ways, host, route)

        Ways.connect = connect  # type: ignore[method-assign, assignment]  # to count, and nothing else

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one that is being opened meanwhile."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1


def main(report: Path, arguments: list[str]) -> None:
    """Run the program, and write the report when it ends."""
    openings = Openings()
    openings.install()

    def write() -> None:
        report.write_text(json.dumps({"openings": openings.most, "rss_mb": round(peak_kb() / 1024, 1)}))

    atexit.register(write)
    if arguments == [CONNECTING]:
        connect()
        return
    sys.argv[1:] = arguments
    program()


def connect() -> None:
    """Open a connection to every host, and close them all."""
    cluster = read(Path(PLAN))
    with SshHosts(cluster) as hosts:
        hosts.look(Script(host.name, "exec true") for host in cluster.hosts)


def peak_kb() -> int:
    """Return the most memory that this process ever had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
