"""Who is connected to etcd's ports, by a host's kernel, and which process of it dialled whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.etcd import settings
from orchestrator.etcd.effective import SETTING
from orchestrator.etcd.facts.routes import plain
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Target
from orchestrator.text import shown

# $1 service, empty without etcd, $2 how many samples (many clients come for a moment only), then ports.
# Lines: "urls" of the running member's client listeners, "in LOCAL PEER" of what came, and what went
# out from here, "out LOCAL PEER PID UNIT NAME"; - is a process of no service. Our own looks are left out: all
# that hangs on the sshd process of this session (its tunnels are that process's, its scripts below it), and
# so is the member itself, which talks to itself.
SCRIPT = (
    SETTING
    + r"""
ss --version > /dev/null || exit
service=$1 samples=$2
shift 2
pid=0
[ -z "$service" ] || pid=$(systemctl show --property=MainPID --value "$service.service") || exit
if [ "${pid:-0}" -gt 0 ]; then
  setting ETCD_LISTEN_CLIENT_URLS listen-client-urls
  printf 'urls %s\n' "$value"
fi
parent() { sed -n 's/^PPid:[^0-9]*//p' "/proc/$1/status" 2> /dev/null; }
ours=" $pid " pid=$$
while [ "${pid:-0}" -gt 1 ]; do
  case $(tr '\0' ' ' < "/proc/$pid/cmdline") in
    *'[listener]'* | */sshd\ *) break ;;
  esac
  case $(cat "/proc/$pid/comm") in
    sshd*) ours="$ours$pid " ;;
  esac
  pid=$(parent "$pid")
done
theirs() {
  above=$1
  while [ "${above:-0}" -gt 1 ]; do
    case $ours in
      *" $above "*) return 1 ;;
    esac
    above=$(parent "$above")
  done
  [ "${above:-0}" -eq 1 ]
}
filter=
for port; do
  filter="$filter${filter:+ or }sport = :$port or dport = :$port"
done
while [ "$samples" -gt 0 ]; do
  ss --no-header --tcp --numeric --processes state established "( $filter )" || exit
  samples=$((samples - 1))
  [ "$samples" -eq 0 ] || sleep 0.3
done | awk -v ports="$*" '
  BEGIN { split(ports, list, " "); for (i in list) wanted[list[i]] = 1 }
  { port = $3; sub(/.*:/, "", port); far = $4; sub(/.*:/, "", far) }
  (port in wanted) && !seen["in" $3 $4]++ { print "in", $3, $4 }
  (far in wanted) && !seen["out" $3 $4]++ {
    users = $0
    if (match(users, /"[^"]*",pid=[0-9]+/)) {
      users = substr(users, RSTART, RLENGTH); name = pid = users
      sub(/",pid=.*/, "", name); sub(/.*",pid=/, "", pid); print "out", $3, $4, pid, substr(name, 2)
    }
  }' | while read -r kind here there pid name; do
  if [ "$kind" = in ]; then
    printf 'in %s %s\n' "$here" "$there"
  elif theirs "$pid"; then
    unit=$(sed -n 's,.*/\([^/]*\.service\).*,\1,p' "/proc/$pid/cgroup" 2> /dev/null | head -n 1)
    printf 'out %s %s %s %s %s\n' "$here" "$there" "$pid" "${unit:--}" "$name"
  fi
done
"""
)


@dataclass(frozen=True, slots=True)
class Connections:
    """What one host's kernel shows: the member's client URLs, and the two ends of what is established.

    ``came`` holds (our end, the other end), ``went`` the same with the process that dialled, and its service.
    """

    urls: tuple[str, ...]
    came: tuple[tuple[str, str], ...]
    went: Mapping[tuple[str, str], str]


def of(target: Target, ports: Iterable[int], samples: int = 3) -> Fact[Connections]:
    """Who is connected to these ports of a host, or from there to those of others."""
    service = target.service
    words = (service, str(samples), *map(str, ports))
    return Fact(Script(target.name, SCRIPT, words, timeout_s=8.0), read)


def read(answer: Answer) -> Connections:
    """Read one host's connections; raises ValueError if it is not the script's answer."""
    urls: tuple[str, ...] = ()
    came, went = [], {}
    for line in answer.text.splitlines():
        kind, _, rest = line.partition(" ")
        words = rest.split(" ", 4)
        if kind == "urls":
            urls = settings.split(rest) or settings.split(settings.DEFAULTS[settings.LISTEN_CLIENT])
        elif kind == "in" and len(words) == 2:
            came.append((_end(words[0]), _end(words[1])))
        elif kind == "out" and len(words) == 5:
            unit = "" if words[3] == "-" else f", {shown(words[3], quote='')}"
            went[_end(words[0]), _end(words[1])] = f"{shown(words[4], quote='')} (pid {int(words[2])}{unit})"
        else:
            raise ValueError(f"a line that is no connection: {shown(line)}")
    return Connections(urls, tuple(came), went)


def _end(text: str) -> str:
    """Return one end of a connection, ADDRESS PORT, as the other side's kernel would write it too."""
    address, _, port = text.rpartition(":")
    return f"{plain(address.partition('%')[0].strip('[]'))} {int(port)}"
