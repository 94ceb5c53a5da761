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
    UNIT_FILE,
)
from orchestrator.etcd.watching.script import SCRIPT
from orchestrator.host.operations import MakeDirectory, Operation, Run, Write
from orchestrator.plan.facts import Target

# One that runs with the same script for the same service goes on as it is: what it has watched so far would
# be lost. It comes back when its host does, for clients may take days to move.
START = f"""set -e
systemctl daemon-reload
systemctl --quiet enable {UNIT}.service
wanted=$(sha256sum {SCRIPT_FILE} {UNIT_FILE})
if systemctl --quiet is-active {UNIT}.service && [ "$(cat {STARTED})" = "$wanted" ]; then exit 0; fi
systemctl restart {UNIT}.service
printf '%s\\n' "$wanted" > {STARTED}
"""

END = (
    f"[ ! -e {UNIT_FILE} ] || systemctl --quiet disable --now {UNIT}.service; "
    f"rm -rf {UNIT_FILE} {DIRECTORY} && systemctl daemon-reload"
)


def begin(target: Target) -> Iterable[Operation]:
    """Let a member's host watch who talks plain http and who TLS; nothing changes if it does so already."""
    yield MakeDirectory(DIRECTORY, 0o700)
    yield Write(SCRIPT_FILE, SCRIPT, 0o700)
    yield Write(UNIT_FILE, _unit(target.host.service or ""))
    yield Run(("sh", "-c", START))


def end(target: Target) -> Iterable[Operation]:
    """Stop watching, and leave nothing of it."""
    del target
    yield Run(("sh", "-c", END))


def _unit(service: str) -> str:
    return f"""\
[Unit]
Description=who speaks plain http to etcd, until it is closed (orchestrator)
[Service]
ExecStart=/bin/sh {SCRIPT_FILE} {service} {LASTS_S} {TICK_S} {RECORD}
RuntimeDirectory={UNIT}
RuntimeDirectoryMode=0700
Restart=on-failure
RestartSec=2
Nice=10
CPUWeight=10
IOSchedulingClass=idle
MemoryMax={MEMORY_MIB}M
OOMScoreAdjust=900
[Install]
WantedBy=multi-user.target
"""
