"""What is kept before the first change: the cluster's data on one host, every host's unit as it was."""

from collections.abc import Iterable

from orchestrator.etcd import api, endpoints
from orchestrator.host import places
from orchestrator.host.operations import MakeDirectory, Operation, Run, Write
from orchestrator.plan.facts import Facts, Target
from orchestrator.plan.model import Cluster

DEADLINE_S = 600.0  # for gigabytes of data on a slow disk

# $1 service, $2 where to, $3 a configuration file of etcd or nothing.
# The unit as systemd reads it, and each of its files under its own path, with its owner and mode. The words
# of EnvironmentFiles may be patterns, and are not quoted so that the shell finds what systemd finds. Without
# "cd /" cp does not find the attributes of the parents below a symlink such as /lib (coreutils 9.1).
KEEP = """
set -eu
cd /
systemctl cat "$1.service" > "$2/unit.txt"
mkdir -p "$2/files"
{
  systemctl show --property=FragmentPath --value "$1.service"
  systemctl show --property=DropInPaths --value "$1.service" | tr ' ' '\\n'
  systemctl show --property=EnvironmentFiles --value "$1.service" | sed 's/ (ignore_errors=[a-z]*)$//' |
    while read -r pattern; do
      for path in $pattern; do printf '%s\\n' "$path"; done
    done
  printf '%s\\n' "${3-}"
} | while read -r path; do
  if [ -f "$path" ]; then
    cp --parents --dereference --preserve=mode,ownership,timestamps --target-directory="$2/files" -- "$path"
  fi
done
"""


def backup_target(cluster: Cluster, facts: Facts) -> Target:
    """Return the member whose host keeps the data: the plan's first."""
    return Target(cluster, facts, cluster.members[0])


def data_path(target: Target, run: str) -> str:
    """Where the data is kept: one file through v3, a directory through v2."""
    return f"{places.of_run(run)}/{'snapshot.db' if target.facts.api == 'v3' else 'backup'}"


def instructions_path(run: str) -> str:
    """Where the commands lie that put the data back, beside it."""
    return f"{places.of_run(run)}/RESTORE.txt"


def data(target: Target, path: str) -> Iterable[Operation]:
    """Save the data below ``places.KEPT``, verified by etcd's own tool; an earlier try goes first."""
    yield MakeDirectory(places.KEPT, 0o700)
    yield Run(("rm", "-rf", "--", path))
    yield from api.of(target).backup(target, path, endpoints.of(target, target.found.environment))


def surroundings(target: Target, run: str, header: str) -> Iterable[Operation]:
    """Keep the host's unit, and the state file's first line: with it a lost one can be made again."""
    yield MakeDirectory(places.KEPT, 0o700)
    yield MakeDirectory(places.of_run(run), 0o700)
    yield Write(places.header(run), header + "\n", 0o600)
    source = target.found.source
    read = (source.configuration.path,) if source and source.configuration else ()
    yield Run(("sh", "-c", KEEP, "keep", target.host.service, places.of_run(run), *read))
