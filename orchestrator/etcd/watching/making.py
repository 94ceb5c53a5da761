"""Starting the watcher beside a member, and ending it."""

from collections.abc import Iterable

from orchestrator.etcd.watching.place import LASTS_S, MEMORY_MIB, TICK_S, Place
from orchestrator.etcd.watching.script import SCRIPT
from orchestrator.host.operations import MakeDirectory, Operation, Run, Write
from orchestrator.plan.facts import Target

# $1 the unit, $2 its file, $3 the script, $4 what it was started with. One that runs with the same script for
# the same service goes on as it is: what it has watched so far would be lost.
START = """set -e
systemctl --quiet --no-reload enable "$1"
systemctl daemon-reload
wanted=$(sha256sum "$3" "$2")
if systemctl --quiet is-active "$1" && [ "$(cat "$4")" = "$wanted" ]; then exit 0; fi
systemctl restart "$1"
printf '%s\\n' "$wanted" > "$4"
"""

# $1 the unit, $2 its file, $3 the directory.
END = """set -e
[ ! -e "$2" ] || systemctl --quiet --no-reload disable --now "$1"
rm -rf "$2" "$3"
systemctl daemon-reload
"""


def begin(target: Target) -> Iterable[Operation]:
    """Let a member's host watch who talks plain http and who TLS; nothing changes if it does so already."""
    place = Place.of(target)
    yield MakeDirectory(place.directory, 0o700)
    yield Write(place.script, SCRIPT, 0o700)
    yield Write(place.unit_file, _unit(place, target.etcd.service))
    yield Run(("sh", "-c", START, "start", place.unit, place.unit_file, place.script, place.started))


def end(target: Target) -> Iterable[Operation]:
    """Stop watching, and leave nothing of it."""
    place = Place.of(target)
    yield Run(("sh", "-c", END, "end", place.unit, place.unit_file, place.directory))


def _unit(place: Place, service: str) -> str:
    word = service.replace("\\", "\\\\").replace("%", "%%")
    return f"""\
[Unit]
Description=who speaks plain http to {service.replace("%", "%%")}, until it is closed (orchestrator)
[Service]
ExecStart=/bin/sh {place.script} "{word}" {LASTS_S} {TICK_S} {place.record}
RuntimeDirectory={place.name}
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
