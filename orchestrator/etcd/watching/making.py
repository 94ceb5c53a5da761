"""Starting the watcher beside a member, and ending it."""

from collections.abc import Iterable

from orchestrator.etcd.watching.place import (
    DIRECTORY,
    LASTS_S,
    MEMORY_MIB,
    RECORD,
    SCRIPT_FILE,
    STARTED,
    TICK_S,
    UNIT,
)
from orchestrator.etcd.watching.script import SCRIPT
from orchestrator.host.operations import MakeDirectory, Operation, Run, Write
from orchestrator.plan.facts import Target

# $1 the member's service. One that runs with the same script for the same service goes on as it is: what it
# has watched so far would be lost.
_START = f"""set -e
wanted="$1 $(sha256sum < {SCRIPT_FILE})"
if systemctl --quiet is-active {UNIT}.service && [ "$(cat {STARTED})" = "$wanted" ]; then exit 0; fi
systemctl stop '{UNIT}.[s]ervice'
systemctl reset-failed '{UNIT}.[s]ervice'
rm -f {STARTED} {RECORD}
systemd-run --quiet --collect --unit={UNIT} --description='who speaks plain http to etcd (orchestrator)' \\
  --property=Restart=on-failure --property=RestartSec=2 --property=Nice=10 --property=CPUWeight=10 \\
  --property=IOSchedulingClass=idle --property=MemoryMax={MEMORY_MIB}M --property=OOMScoreAdjust=900 \\
  sh {SCRIPT_FILE} "$1" {LASTS_S} {TICK_S} {RECORD}
printf '%s\\n' "$wanted" > {STARTED}
"""

# A pattern, for one may match nothing and a name may not.
END = f"systemctl stop '{UNIT}.[s]ervice' && rm -rf {DIRECTORY}"


def begin(target: Target) -> Iterable[Operation]:
    """Let a member's host watch who talks plain http and who TLS; nothing changes if it does so already."""
    yield MakeDirectory(DIRECTORY, 0o700)
    yield Write(SCRIPT_FILE, SCRIPT, 0o700)
    yield Run(("sh", "-c", _START, "start", target.host.service))


def end(target: Target) -> Iterable[Operation]:
    """Stop watching, and leave nothing of it."""
    del target
    yield Run(("sh", "-c", END))
