"""How much room there is on a host's disks, and who gets to where the migration puts files."""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.etcd.effective import SETTING
from orchestrator.host import places
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Target
from orchestrator.trusted import UNTRUSTED

# $1 service, $2 where data is saved, $3 the certificates' directory, then other places. A directory that is
# missing will be made in the nearest one that exists. Lines: KIND AVAILABLE_KIB FREE_INODES PATH, one more if
# not even root may write there (it is read-only, or immutable), whether the user may enter (if not, the
# outermost directory that is closed to it), and what the keys alone and the whole member take:
# "weight" KIB KIB.
SCRIPT = (
    SETTING
    + UNTRUSTED
    + """
end='
'
room() {
  found=$2
  while [ ! -d "$found" ]; do found=$(dirname -- "$found"); done
  df -k --output=avail,iavail -- "$found" | {
    read -r _
    read -r kib inodes
    printf '%s %s %s %s\\n' "$1" "$kib" "$inodes" "$found"
  }
  [ -w "$found" ] || printf 'closed-to-root - - %s\\n' "$found"
}
shown=$(systemctl show --property=User,MainPID "$1.service")
pid=${shown#*MainPID=} pid=${pid%%[!0-9]*}
case $shown in *User=*) user=${shown#*User=} ;; *) user='' ;; esac
user=${user%%"$end"*}
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


@dataclass(frozen=True, slots=True)
class Place:
    """What is left where something will lie: ``files``, etcd's ``data``, or what is ``saved`` of that.

    ``inodes`` are None where the file system counts none.
    """

    kind: str
    path: str
    mib: int
    inodes: int | None


@dataclass(frozen=True, slots=True)
class Entrance:
    """Whether the service's user gets to the certificates' directory; ``path`` is the closed one if not."""

    user: str
    path: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Room:
    """A host's disks: ``shut`` are directories where not even root writes.

    ``weights`` are what the keys alone and the whole member take, in KiB; empty without a process.
    """

    places: tuple[Place, ...]
    shut: tuple[str, ...]
    weights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """Who gets to where files are put: ``untrusted`` are directories that others than root may change."""

    entrances: tuple[Entrance, ...]
    untrusted: tuple[str, ...]


def of(target: Target, directories: Iterable[str]) -> Fact[Room]:
    """Room where etcd's data lies, where that is saved, and in these directories, where files are put."""
    return Fact(_script(target, directories), _room)


def access(target: Target, directories: Iterable[str]) -> Fact[Access]:
    """Who gets to these directories, where files are put; the first is that of the certificates."""
    return Fact(_script(target, directories), _access)


def _script(target: Target, directories: Iterable[str]) -> Script:
    written = (*directories, "/run")  # a job's own directory is below /run
    return Script(target.name, SCRIPT, (target.etcd.service, places.KEPT, *written))


def _room(answer: Answer) -> Room:
    lines = [line.split(" ") for line in answer.text.splitlines()]
    return Room(
        places=tuple(_place(*line) for line in lines if line[0] in {"data", "files", "saved"}),
        shut=tuple(dict.fromkeys(line[-1] for line in lines if line[0] == "closed-to-root")),
        weights=next((tuple(line[1:]) for line in lines if line[0] == "weight"), ()),
    )


def _access(answer: Answer) -> Access:
    lines = [line.split(" ") for line in answer.text.splitlines()]
    return Access(
        entrances=tuple(
            Entrance(line[1], " ".join(line[2:]), line[0] == "open")
            for line in lines
            if line[0] in {"open", "closed"}
        ),
        untrusted=tuple(dict.fromkeys(" ".join(line[1:]) for line in lines if line[0] == "untrusted")),
    )


def _place(kind: str, *words: str) -> Place:
    *numbers, path = words
    kib, inodes = filter(None, numbers)  # df pads its columns
    return Place(kind, path, int(kib) // 1024, int(inodes) if inodes.isdigit() else None)
