"""A host itself: its clock, its programs, and what etcd's unit and its directories look like there."""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.host.questions import Answer, Fact, Script, UnansweredError
from orchestrator.plan.facts import Target

# The service's user and group, whether its main process is etcd (by its name, or else by what every etcd can
# print), the family of the trust store, and which directories are missing.
HOST = """
shown=$(systemctl show --property=User,Group,MainPID "$1.service") || exit
user='' group='' pid='' IFS='
'
set -f
for line in $shown; do
  case $line in
    User=*) user=${line#*=} ;;
    Group=*) group=${line#*=} ;;
    MainPID=*) pid=${line#*=} ;;
  esac
done
set +f
unset IFS
echo "user=${user:-root}"
echo "group=${group:-$(id -gn "${user:-root}")}"
program=$(readlink "/proc/${pid:-0}/exe") || program=nothing
program=${program% (deleted)}
case ${program##*/} in
  etcd | etcd[23]) program=etcd ;;
  *) LC_ALL=C grep -q -a 'etcd Version: ' "/proc/${pid:-0}/exe" 2> /dev/null && program=etcd ;;
esac
printf 'program=%s\\n' "$program"
if command -v update-ca-trust > /dev/null; then
  echo trust=redhat
elif command -v update-ca-certificates > /dev/null; then
  [ -d /usr/local/share/ca-certificates ] && echo trust=debian || echo trust=coreos
fi
shift
for path; do [ -d "$path" ] || echo "missing=$path"; done
exit 0
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What surrounds a unit's process: whose it is, which program, the family of the CA store (``trust``)."""

    user: str | None
    group: str | None
    program: str
    trust: str | None
    missing: tuple[str, ...]


def surroundings(target: Target, directories: Iterable[str]) -> Fact[Surroundings]:
    """What surrounds the unit's process, and which of these directories are missing."""
    return Fact(Script(target.name, HOST, (target.etcd.service, *directories)), _surroundings)


def _surroundings(answer: Answer) -> Surroundings:
    fields = dict(answer.pairs)
    return Surroundings(
        user=fields.get("user"),
        group=fields.get("group"),
        program=fields.get("program", "unknown"),
        trust=fields.get("trust"),
        missing=tuple(value for key, value in answer.pairs if key == "missing"),
    )


PROGRAMS = """
for tool; do
  command -v "$tool" > /dev/null && echo "has=$tool" || echo "lacks=$tool"
done
printf 'shell=%s\\npath=%s\\n' "$(readlink -f "$(command -v sh)")" "$PATH"
systemctl --version | sed -n '1s/^/systemd=/p'
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """Which programs a host has, of those that were asked for, on which path; its shell and systemd."""

    has: frozenset[str]
    path: str
    shell: str
    systemd: str


def programs(host: str, wanted: Iterable[str]) -> Fact[Programs]:
    """Which of these programs a host has."""
    return Fact(Script(host, PROGRAMS, tuple(wanted)), _programs)


def _programs(answer: Answer) -> Programs:
    reported = answer.pairs
    if not reported:
        raise UnansweredError("it printed nothing")
    fields = dict(reported)
    has = frozenset(value for key, value in reported if key == "has")
    return Programs(has, fields.get("path", "PATH"), fields.get("shell", "sh"), fields.get("systemd", ""))


def time_of(host: str) -> Fact[float]:
    """A host's time, in seconds; asked alone, so that the bastion knows when it was read."""
    return Fact(Script(host, "exec date -u +%s.%N"), lambda answer: float(answer.text))
