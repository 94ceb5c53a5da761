"""What is kept before the first change: the cluster's data on one host, every host's unit as it was."""

from collections.abc import Iterable
from pathlib import Path

from orchestrator.etcd import api, endpoints, login
from orchestrator.etcd.api.words import OWN_LISTENER, V3_TLS, asking
from orchestrator.host import places
from orchestrator.host.operations import MakeDirectory, Operation, Run, Write
from orchestrator.host.questions import Download
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


# OWN_LISTENER's words, then $1 where it is saved meanwhile and $2 etcdctl's patience. etcdctl needs a file's
# name; that is taken away while the file is open, so that it goes with this shell, whatever ends that. What a
# host that failed in the middle has kept goes the next time.
SNAPSHOT = f"""{login.READ}
{OWN_LISTENER}
umask 077
made=''
[ -d "$1" ] || made=$1
mkdir -p -- "$1" || exit
find "$1" -maxdepth 1 -name 'snapshot.??????' -mmin +60 -exec rm -rf -- {{}} +
place=$(mktemp -d "$1/snapshot.XXXXXX") || exit
trap 'rm -rf -- "$place"; [ -z "$made" ] || rmdir -- "$made"' EXIT
trap 'exit 1' HUP INT TERM PIPE
ETCDCTL_API=3 etcdctl --endpoints="$url" {V3_TLS} --dial-timeout=2s --command-timeout="$2" \\
  snapshot save "$place/snapshot.db" >&2 || exit
exec 3< "$place/snapshot.db"
rm -rf -- "$place"
cat <&3
"""
SAVING_S = 500
SLOWEST_BYTES_S = 1 << 20  # over the connection


def snapshot(target: Target, into: Path, most_bytes: int) -> Download:
    """A snapshot of a member's data for a file here, ``most_bytes`` at most; its host keeps nothing of it."""
    return Download(
        target.name,
        SNAPSHOT,
        (*asking(target), places.KEPT, f"{SAVING_S}s"),
        into,
        most_bytes,
        SAVING_S + most_bytes / SLOWEST_BYTES_S,
        login.of(target.cluster),
    )


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
    """Keep etcd's unit, if there is one, and the state file's first line: a lost one is made of it again."""
    yield MakeDirectory(places.KEPT, 0o700)
    yield MakeDirectory(places.of_run(run), 0o700)
    yield Write(places.header(run), header + "\n", 0o600)
    if not target.runs_etcd:
        return
    source = target.found.source
    read = (source.configuration.path,) if source and source.configuration else ()
    yield Run(("sh", "-c", KEEP, "keep", target.etcd.service, places.of_run(run), *read))
