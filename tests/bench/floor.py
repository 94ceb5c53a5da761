"""The restarts that no migration avoids: ``python -m bench.floor PREFIX`` restarts a lab's members twice.

Each restart is ``systemctl restart``, called on the host itself, until the member answers that it is healthy.
"""

import sys
import time
from http.client import HTTPConnection, HTTPException

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab

TIMES, PAUSE_S, PATIENCE_S = 2, 0.01, 30.0


def main(prefix: str) -> int:
    lab = Lab.find(prefix)
    for _ in range(TIMES):
        for host in lab.members:
            host.run(["systemctl", "restart", host.unit], timeout_s=PATIENCE_S)
            _wait_until_healthy(host, lab.cluster.ports.client)
    return 0


def _wait_until_healthy(host: Host, port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not _is_healthy(host.address, port):
        if time.monotonic() > deadline:
            raise SystemExit(f"{host.name} is not healthy after {PATIENCE_S:g} s")
        time.sleep(PAUSE_S)


def _is_healthy(address: str, port: int) -> bool:
    connection = HTTPConnection(address, port, timeout=2.0)
    try:
        connection.request("GET", "/health")
        return b'"health":"true"' in connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
