"""A cluster's beginning with data: each member's is made of one snapshot, before its etcd ever starts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from shutil import copyfile

from orchestrator.lab.hosts.host import PATH, Host
from orchestrator.lab.machine import network
from orchestrator.lab.machine.programs import LabError, run
from orchestrator.lab.provisioning import as_found, login
from orchestrator.lab.provisioning.initial_settings import url
from orchestrator.plan.layout import Layout, Snapshot
from orchestrator.plan.model import Cluster

_COPY = "snapshot.db"
_SLOWEST_BYTES_S = 10 << 20  # of what is restored, or read for a hash
# $1 its data's directory, $2 that of its log or nothing, $3 its owner, then etcd's words. etcd's tool wants a
# directory that is not there yet; it was etcdctl, and is etcdutl from 3.6 on.
_RESTORE = f"""
tool=$(command -v etcdutl || command -v etcdctl) || {{
  echo "neither etcdutl nor etcdctl was found on the real host" >&2
  exit 1
}}
data=$1 log=$2 owner=$3
shift 3
ETCDCTL_API=3 "$tool" snapshot restore /{_COPY} --data-dir "$data/restored" "$@"
rm -rf -- "$data/member"
mv -T -- "$data/restored/member" "$data/member"
rmdir -- "$data/restored"
if [ -n "$log" ] && [ "$log" != "$data/member/wal" ]; then
  mv -t "$log" -- "$data/member/wal"/*
  rmdir -- "$data/member/wal"
  chown -R -- "$owner" "$log"
fi
chown -R -- "$owner" "$data/member"
"""
# $1 a client URL, $2 a revision, $3 how long it may take, $4 something if the hash is wanted too. A login is
# what comes in on stdin.
_ASK = """
PATH=$PATH:/opt/bin ETCDCTL_API=3
export PATH ETCDCTL_API
if IFS= read -r ETCDCTL_USER; then export ETCDCTL_USER; else unset ETCDCTL_USER; fi
etcdctl --endpoints="$1" --command-timeout="$3" get '' --prefix --keys-only --limit=1 --rev="$2" -w json
[ -z "$4" ] || etcdctl --endpoints="$1" --command-timeout="$3" endpoint hashkv --rev="$2" -w json
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a member tells of its data: how many keys at a revision, and their hash if it was asked for."""

    keys: int
    hash: int
    compacted: int


def patience_s(snapshot: Snapshot | None) -> float:
    """How long anything that reads or writes all of the data may take, beside its usual time."""
    return snapshot.size_bytes / _SLOWEST_BYTES_S if snapshot else 0.0


def restore(members: Sequence[Host], found: Layout, snapshot: Snapshot) -> None:
    """Make every mounted member's data of the snapshot; its file goes then."""
    for host in members:
        own = found.hosts[host.name]
        copy = host.root / _COPY
        inside = ["nsenter", f"--net={network.NAMED / host.namespace}", "--", "chroot", str(host.root)]
        words = ["env", "-i", f"PATH={PATH}:/opt/bin", "HOME=/root", "sh", "-ec", _RESTORE, "sh"]
        places = [own.data, own.wal, f"{own.account.user}:{own.account.group}"]
        try:
            copyfile(snapshot.file, copy)
            arguments = [*inside, *words, *places, *as_found.beginning(host.name, found)]
            run(arguments, timeout_s=60.0 + patience_s(snapshot))
        except (LabError, OSError) as cause:
            raise LabError(f"{host.name}: the snapshot cannot be restored in the lab: {cause}") from cause
        finally:
            copy.unlink(missing_ok=True)
    snapshot.file.unlink()


def compare(members: Sequence[Host], cluster: Cluster, snapshot: Snapshot) -> str:
    """Ask every member that runs for what it has, and return what to report; LabError if they differ."""
    have = {host.name: _asked(host, cluster, snapshot) for host in members}
    leading, first = next(iter(have.items()))
    wrong = [name for name, one in have.items() if one != first]
    if wrong:
        raise LabError(f"the snapshot was restored, and {', '.join(wrong)} have other data than {leading}")
    restored = f"restored {first.keys} keys, revision {snapshot.revision}, of {snapshot.member}'s snapshot: "
    if snapshot.hash is None:
        return f"{restored}not compared: there is no hash of that revision of {snapshot.member}"
    if first.compacted != snapshot.compacted:
        return (
            f"{restored}hash {first.hash} on every member; {snapshot.member} has compacted its own meanwhile"
        )
    if first.hash != snapshot.hash:
        raise LabError(
            f"the snapshot was restored, and its hash is {first.hash}; {snapshot.member} reported "
            f"{snapshot.hash} for the same revision {snapshot.revision}"
        )
    return f"{restored}hash {first.hash}, on every member as on {snapshot.member}"


def _asked(host: Host, cluster: Cluster, snapshot: Snapshot) -> Restored:
    timeout_s, is_hashed = 10.0 + patience_s(snapshot), snapshot.hash is not None
    client = url("http", host.address, cluster.ports.client)
    words = (client, str(snapshot.revision), f"{timeout_s:.0f}s", "hash" if is_hashed else "")
    who = login.of(cluster)
    stdin = f"{who.user}:{who.password}\n" if who else ""
    argv = ["sh", "-ec", _ASK, "sh", *words]
    done = host.run(argv, check=False, timeout_s=2 * timeout_s, stdin=stdin)
    if done.returncode != 0:  # what it printed holds a key: no error quotes that
        why = done.stderr.strip()[-500:] or "nothing printed"
        raise LabError(f"{host.name}: it does not tell of its data: exit {done.returncode}: {why}")
    try:
        page, *hashes = map(json.loads, done.stdout.splitlines())
        found = hashes[0][0]["HashKV"] if is_hashed else {}
        return Restored(page.get("count", 0), found.get("hash", 0), found.get("compact_revision", 0))
    except (ValueError, LookupError, AttributeError, TypeError) as cause:
        raise LabError(f"{host.name}: what it tells of its data cannot be read") from cause
