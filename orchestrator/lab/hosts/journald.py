"""What a host's journal tells: of a unit, and of etcd's starts."""

import json
from dataclasses import dataclass

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.machine.programs import LabError

# systemd's message IDs. Source: systemd's sd-messages.h.
STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5"
STARTED = "39f53479d3a045ac8e11786248231fbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal. ``at`` is in seconds since 1970, by the clock that all hosts share."""

    at: float
    text: str


def read(host: Host, *matches: str) -> tuple[Line, ...]:
    """Return the lines that match, oldest first. Source: journalctl(1), systemd.journal-fields(7)."""
    wanted = ["--quiet", "--no-pager", "--output=json", "--output-fields=MESSAGE", *matches]
    entries = [json.loads(line) for line in host.run(["journalctl", *wanted]).stdout.splitlines()]
    return tuple(
        Line(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, str(entry.get("MESSAGE", ""))) for entry in entries
    )


def starting(host: Host) -> tuple[float, ...]:
    """Return when systemd began to start the host's etcd."""
    return _of_etcd(host, STARTING)


def starts(host: Host) -> int:
    """Count how often systemd has begun to start the host's etcd, from its journal."""
    count = len(starting(host))
    if count == 0:
        raise LabError(f"{host.name}: the journal tells of no start of {host.unit}")
    return count


def started(host: Host) -> tuple[float, ...]:
    """Return when the host's etcd had started and was ready."""
    return _of_etcd(host, STARTED)


def _of_etcd(host: Host, message: str) -> tuple[float, ...]:
    return tuple(line.at for line in read(host, "_PID=1", f"MESSAGE_ID={message}", f"UNIT={etcd(host)}"))


def etcd(host: Host) -> str:
    """Return the journal's name for the host's etcd: the unit's own one, where the plan names an alias."""
    return host.run(["systemctl", "show", "--property=Id", "--value", host.unit]).stdout.strip()
