"""Room on a host's disks, and whether the service's user gets to where the certificates will lie."""

import shlex
from collections.abc import Iterable

from orchestrator.etcd import install, saving
from orchestrator.etcd.effective import SETTING
from orchestrator.etcd.preflight import fixes
from orchestrator.etcd.preflight.finding import on_each_host
from orchestrator.etcd.preflight.site import Site
from orchestrator.etcd.settings import Paths
from orchestrator.host import places
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers, Fact, Script
from orchestrator.plan.facts import Subject
from orchestrator.trusted import UNTRUSTED

FILES_FAIL_MIB = 16  # certificates, drop-ins and a deed are some kilobytes
DATA_FAIL_MIB = 256  # etcd allocates its log 64 MB at a time, and one segment ahead
DATA_WARN_MIB = 1024
INODES_FAIL = 100
_NOWHERE = " leads nowhere"

# $1 service, $2 where data is saved, $3 the certificates' directory, then other places. A directory that is
# missing will be made in the nearest one that exists. Lines: KIND AVAILABLE_KIB FREE_INODES PATH, one more if
# not even root may write there (it is read-only, or immutable), whether the user may enter (if not, the
# outermost directory that is closed to it), and what the keys alone and the whole member take:
# "weight" KIB KIB.
SCRIPT = (
    UNTRUSTED
    + SETTING
    + """
room() {
  found=$2
  while [ ! -d "$found" ]; do found=$(dirname -- "$found"); done
  printf '%s %s %s\\n' "$1" "$(df -k --output=avail,iavail -- "$found" | tail -n 1 | tr -s ' ')" "$found"
  [ -w "$found" ] || printf 'closed-to-root - - %s\\n' "$found"
}
pid=$(systemctl show --property=MainPID --value "$1.service")
user=$(systemctl show --property=User --value "$1.service")
if [ "${pid:-0}" -gt 0 ]; then
  setting ETCD_DATA_DIR data-dir
  data=$value
  case $data in
    /*) ;;
    *) data=$(readlink -f "/proc/$pid/cwd")/$data ;;
  esac
  room data "$data"
  keys=$(stat -c %s "$data/member/snap/db" 2> /dev/null) || keys=0
  printf 'weight %s %s\\n' $((keys / 1024)) "$(du -sk -- "$data/member" 2> /dev/null | cut -f 1)"
fi
room saved "$2"
shift 2
place=$1
while [ ! -d "$place" ]; do place=$(dirname -- "$place"); done
enters() { runuser -u "${user:-root}" -- test -x "$1"; }
may=open
if ! enters "$place"; then
  may=closed place=$(readlink -f -- "$place")
  while ! enters "$(dirname -- "$place")"; do place=$(dirname -- "$place"); done
fi
printf '%s %s %s\\n' "$may" "${user:-root}" "$place"
for path; do
  why=$(untrusted "$path")
  [ -z "$why" ] || printf 'untrusted %s\\n' "$why"
done
for path; do room files "$path"; done
exit 0
"""
)


def _room(subject: Subject) -> Fact[tuple[str, ...]]:
    """The script's lines."""
    written = (
        Paths.of(subject).directory,
        *install.of(subject).directories,
        "/run",
    )  # a deed's own directory is below /run
    script = Script(subject.name, SCRIPT, (subject.host.service, places.KEPT, *written))
    return Fact(script, lambda answer: tuple(answer.text.splitlines()))


@on_each_host
def disks(site: Site, subject: Subject) -> Check:
    """Ask for space and inodes where files will be put, etcd keeps its data, and that is saved."""
    room = _room(subject)

    def judge(answers: Answers) -> Iterable[Remark]:
        lines = [line.split(" ") for line in room.read(answers)]
        rows = [line for line in lines if line[0] in {"data", "files", "saved"}]
        if not rows:
            yield wrong(f"cannot tell: {answers[room.question].reason}")
            return
        shut = dict.fromkeys(line[-1] for line in lines if line[0] == "closed-to-root")
        yield from (wrong(f"{path} is read-only, or immutable", _writable(path)) for path in shut)
        weights = next((line[1:] for line in lines if line[0] == "weight"), [])
        least_mib = {
            "files": FILES_FAIL_MIB,
            "data": DATA_FAIL_MIB,
            "saved": _saved_mib(site, subject, weights),
        }
        seen: dict[str, int] = {}
        for kind, *numbers, path in rows:
            kib, inodes = [word for word in numbers if word]
            mib = int(kib) // 1024
            if mib < least_mib[kind]:
                what = ", where the cluster's data will be saved" if kind == "saved" else ""
                told = f"{mib} MiB left for {path}{what}, at least {least_mib[kind]} are needed"
                yield wrong(told, _emptied(subject, kind, path))
            elif kind == "data" and mib < DATA_WARN_MIB:
                yield doubtful(f"{mib} MiB left for etcd's data in {path}", _emptied(subject, kind, path))
            if inodes.isdigit() and 0 < int(inodes) < INODES_FAIL:
                yield wrong(
                    f"{inodes} inodes left for {path}, at least {INODES_FAIL} are needed",
                    f"delete files there that nobody needs; most are in: du --inodes -x {_mount(path)} "
                    "| sort -n | tail",
                )
            seen[path] = mib
        least_path = min(seen, key=lambda path: seen[path])
        yield fine(f"at least {seen[least_path]} MiB, in {least_path}")

    return Check(subject.name, (room,), judge)


def _saved_mib(site: Site, subject: Subject, weights: list[str]) -> int:
    """How much has to be free where things are kept: on one host the data too, often on etcd's own disk."""
    if subject.host != saving.holder(site.cluster, site.facts).host:
        return FILES_FAIL_MIB
    keys_kib, all_kib = (int(word or 0) for word in weights)
    return (keys_kib if site.facts.api == "v3" else all_kib) // 1024 + DATA_FAIL_MIB


@on_each_host
def entrances(_site: Site, subject: Subject) -> Check:
    """Ask whether the service's user may enter the directory that the certificates will lie in."""
    room = _room(subject)

    def judge(answers: Answers) -> Iterable[Remark]:
        lines = tuple(line.split(" ", 2) for line in room.read(answers))
        told = [line for line in lines if line[0] in {"open", "closed"}]
        for why in dict.fromkeys(" ".join(line[1:]) for line in lines if line[0] == "untrusted"):
            if why.endswith(_NOWHERE):
                yield wrong(
                    f"{why}: a link without its target", f"rm {shlex.quote(why.removesuffix(_NOWHERE))}"
                )
                continue
            yield wrong(f"{why}: who writes there could lead root's files astray", _owned(why))
        for may, user, path in told:
            let_in = f"chmod o+x {shlex.quote(path)}; or name another directory in the plan (tls.directory)"
            is_open = may == "open"
            yield (
                fine(f"{user} may enter {path}") if is_open else wrong(f"{user} may not enter {path}", let_in)
            )
        if not told:
            yield wrong(f"cannot tell: {answers[room.question].reason}")

    return Check(subject.name, (room,), judge)


def _mount(path: str) -> str:
    """Return what a shell makes the mount point of a path of."""
    return f'"$(findmnt -no TARGET -T {shlex.quote(path)})"'


def _writable(path: str) -> str:
    """Return the commands that let root write in a directory."""
    place = shlex.quote(path)
    return f"mount -o remount,rw {_mount(path)}; or, where lsattr -d {place} shows an i: chattr -i {place}"


def _emptied(subject: Subject, kind: str, path: str) -> str:
    """Say how room is made on the file system of a path."""
    room = f"make room on its file system; what takes most: du -xm {_mount(path)} | sort -n | tail"
    if kind != "data" or subject.facts.api != "v3":
        return room
    return (
        f"{room}; or, one member at a time: {fixes.defragment(subject)} (it frees what was compacted, and "
        "needs as much room as the data meanwhile)"
    )


def _owned(why: str) -> str:
    """Return the command that gives a directory back to root; its files may stay whose they are."""
    place = shlex.quote(why.split(" ", maxsplit=1)[0])
    return f"chown root: {place} && chmod go-w {place}; or name another directory in the plan (tls.directory)"
