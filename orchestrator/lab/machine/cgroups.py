"""A control group for each host: without them, all hosts' systemds would share, and fight over, one tree."""

import re
from pathlib import Path

from orchestrator.lab.machine.programs import LabError

# systemd-nspawn puts a host below the group that it is started in. Source: systemd-nspawn(1), --keep-unit.
# With --keep-unit it does not start a host again that reboots, but leaves that to us, by exit code 133.
SUPERVISE = """
for group in $1; do echo $$ > "$group/cgroup.procs"; done
shift
status=133
while [ "$status" -eq 133 ]; do
  status=0
  "$@" || status=$?
done
exit "$status"
"""


def supervised(name: str, argv: list[str]) -> list[str]:
    """Make the control groups of that name, and return the command that boots a host in them, by ``argv``."""
    groups = paths(name)
    for group in groups:
        group.mkdir(exist_ok=True)
    return ["sh", "-ec", SUPERVISE, "sh", " ".join(map(str, groups)), *argv]


def remove(name: str) -> None:
    """Remove the control groups of that name; no process may be in them any more."""
    for group in paths(name):
        inner = sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True)
        for path in [*inner, group] if group.is_dir() else []:
            try:
                path.rmdir()
            except OSError as cause:
                raise LabError(f"control group {path} is still there: {cause.strerror}") from cause


def paths(name: str) -> list[Path]:
    """Return where the groups go: into the hierarchies that systemd tracks services in: v1, v2 or both."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return [point / name for point in map(hierarchy, mounts) if point]


def hierarchy(mount: str) -> Path | None:
    """Return the mount point that a line of mountinfo tells of, if systemd keeps its services there."""
    left, _, right = mount.partition(" - ")
    kind, _, options = right.split(" ", 2)
    mine = kind == "cgroup2" or (kind == "cgroup" and re.search(r"\bname=systemd\b", options))
    return Path(left.split(" ")[4]) if mine else None
