"""Other etcds on a member's host, and which files of ours they have too."""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.etcd.effective import SETTING
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Target
from orchestrator.text import shown

# $1 service, then paths. A line for each of these files that another etcd names, as a flag, as a variable or
# in its configuration file, and finds where it runs: PID PATH UNIT. In a container that is another file.
SCRIPT = (
    SETTING
    + r"""
own=$(systemctl show --property=MainPID --value "$1.service") || exit
shift
for process in /proc/[0-9]*; do
  pid=${process#/proc/} name=''
  read -r name 2> /dev/null < "$process/comm"
  case "$pid $name" in
    "$own "*) continue ;;
    *' etcd'*) ;;
    *) continue ;;
  esac
  setting ETCD_NAME name
  unit=$(sed -n -E 's#.*/([^/]*\.service)(/.*)?$#\1#p' "$process/cgroup" | head -n 1)
  for path; do
    [ "$process/root$path" -ef "$path" ] || continue
    {
      cat "$process/cmdline" "$process/environ"
      [ -z "$configuration" ] || cat "$process/root$configuration"
    } | tr "=: \"'\\0" '[\n*]' | grep -q -x -F -- "$path" || continue
    printf '%s %s %s\n' "$pid" "$path" "$unit"
  done
done 2> /dev/null
exit 0
"""
)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another etcd that uses one of our files; ``unit`` is empty if none is known."""

    pid: int
    path: str
    unit: str


def of(target: Target, paths: Iterable[str]) -> Fact[tuple[Neighbour, ...]]:
    """Which of these files other etcds on a member's host use."""
    return Fact(Script(target.name, SCRIPT, (target.etcd.service, *paths)), _neighbours)


def _neighbours(answer: Answer) -> tuple[Neighbour, ...]:
    lines = (line.split(" ", 2) for line in answer.text.splitlines())
    return tuple(
        Neighbour(foreign.number(pid, "a process"), path, shown(unit, quote="")) for pid, path, unit in lines
    )
