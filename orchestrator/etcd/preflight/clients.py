"""Who speaks plain http to the members, and so is cut off when they leave http: asked of the kernel."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from orchestrator.etcd import settings
from orchestrator.etcd.effective import SETTING
from orchestrator.etcd.preflight.routes import plain
from orchestrator.etcd.preflight.site import Site
from orchestrator.host.checks import Check, Remark, doubtful, fine
from orchestrator.host.questions import Answer, Answers, Fact, Script
from orchestrator.plan.facts import Subject
from orchestrator.text import shown

ROUND = "switch"  # the round of every migration in which a member's client port leaves http
_AT_MOST = 10  # clients that are named for one member; the others are counted

# $1 service, then ports. A few samples, because many clients come for a moment only. Lines: "urls" of the
# running member's client listeners, "in LOCAL PEER" of what came, "out LOCAL PEER PID NAME" of what went out
# from here. Our own looks are left out: all that hangs on the sshd process of this session
# (its tunnels are that process's, its scripts below it), and so is the member itself, which talks to itself.
SCRIPT = (
    SETTING
    + r"""
ss --version > /dev/null || exit
service=$1
shift
pid=$(systemctl show --property=MainPID --value "$service.service") || exit
main=$pid
if [ "${main:-0}" -gt 0 ]; then
  setting ETCD_LISTEN_CLIENT_URLS listen-client-urls
  printf 'urls %s\n' "$value"
fi
parent() { sed -n 's/^PPid:[^0-9]*//p' "/proc/$1/status" 2> /dev/null; }
ours=" $main " pid=$$
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
for sample in 1 2 3; do
  [ "$sample" = 1 ] || sleep 0.3
  ss --no-header --tcp --numeric --processes state established "( $filter )" || exit
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
    printf 'out %s %s %s %s\n' "$here" "$there" "$pid" "$name"
  fi
done
"""
)


@dataclass(frozen=True, slots=True)
class Connections:
    """What one host's kernel shows: the member's client URLs, and the two ends of what is established.

    ``came`` holds (our end, the other end), ``went`` the same with the name of the process that dialled.
    """

    urls: tuple[str, ...]
    came: tuple[tuple[str, str], ...]
    went: Mapping[tuple[str, str], str]


def read(answer: Answer) -> Connections:
    """Read one host's connections; raises ValueError if it is not the script's answer."""
    urls: tuple[str, ...] = ()
    came, went = [], {}
    for line in answer.text.splitlines():
        kind, _, rest = line.partition(" ")
        words = rest.split(" ", 3)
        if kind == "urls":
            urls = settings.split(rest) or settings.split(settings.DEFAULTS[settings.LISTEN_CLIENT])
        elif kind == "in" and len(words) == 2:
            came.append((_end(words[0]), _end(words[1])))
        elif kind == "out" and len(words) == 4:
            went[_end(words[0]), _end(words[1])] = f"{shown(words[3], quote='')} (pid {int(words[2])})"
        else:
            raise ValueError(f"a line that is no connection: {shown(line)}")
    return Connections(urls, tuple(came), went)


def _end(text: str) -> str:
    """Return one end of a connection, ADDRESS PORT, as the other side's kernel would write it too."""
    address, _, port = text.rpartition(":")
    return f"{plain(address.partition('%')[0].strip('[]'))} {int(port)}"


def clients(site: Site) -> Iterable[Check]:
    """Ask every host's kernel who is connected to the members' client ports, and with which process."""
    ports = {site.cluster.ports.client, site.cluster.ports.local, *_found_ports(site.members)}
    words = tuple(map(str, sorted(ports)))
    asked = {
        one.name: Fact(Script(one.name, SCRIPT, (one.host.service, *words), timeout_s=8.0), read)
        for one in site.hosts
    }

    def judge_of(subject: Subject) -> Check:
        def judge(answers: Answers) -> Iterable[Remark]:
            seen: dict[str, Connections] = {}
            for name, connections in asked.items():
                try:
                    seen[name] = connections.read(answers)
                except ValueError as error:
                    told = f"cannot tell: {name} does not show its connections: {error}"
                    return (doubtful(told, f"on {name}: install iproute2, which has ss"),)
            return judged(subject, seen)

        return Check(subject.name, tuple(asked.values()), judge)

    return map(judge_of, site.members)


def _found_ports(members: Iterable[Subject]) -> Iterable[int]:
    for one in members:
        for url in settings.current(one.found.environment, settings.LISTEN_CLIENT):
            yield urlsplit(url).port or one.cluster.ports.client


def judged(subject: Subject, seen: Mapping[str, Connections]) -> Iterable[Remark]:
    """Say who loses a member; a connection is lost if it came over http to other than the local port."""
    own = seen[subject.name]
    http = {urlsplit(url).port for url in own.urls if url.startswith("http://")}
    if not http:
        yield fine("no listener of it speaks plain http")
        return
    whose = {
        pair: f"{name} on {host}"
        for host, one in seen.items()
        for pair, name in one.went.items()
        if host == subject.name or not _is_loopback(pair[1])  # every host has a loopback of its own
    }
    hosts = _addresses(subject, seen)
    lost: Counter[str] = Counter()
    for here, there in own.came:
        port = here.split(" ")[1]
        is_spared = int(port) == subject.cluster.ports.local and _is_loopback(here)
        if int(port) not in http or is_spared:
            continue
        process = whose.get((there, here))
        if process is not None:
            lost[process] += 1
        elif there.split(" ")[0] not in hosts:  # else it is the host's own: a member, or this very look
            lost[there.split(" ")[0]] += 1
    if not lost:
        yield fine("nobody is connected over plain http now, but by the local port")
        return
    named = [f"{who} ({count})" if count > 1 else who for who, count in lost.most_common(_AT_MOST)]
    more = f" and {len(lost) - len(named)} more" if len(lost) > len(named) else ""
    count = sum(lost.values())
    connections = "1 connection" if count == 1 else f"{count} connections"
    tls = subject.cluster.tls
    needed = "https://, the CA and a client certificate" if tls.client_cert_auth else "https:// and the CA"
    yield doubtful(
        f"{connections} over plain http, cut off in the round {ROUND!r}: {', '.join(named)}{more}",
        f"have them speak to it with {needed} from that round on, or, on its own host, "
        f"through {settings.local_url(subject)}, which stays as it is",
    )


def _is_loopback(end: str) -> bool:
    return ip_address(end.split(" ", maxsplit=1)[0]).is_loopback


def _addresses(subject: Subject, seen: Mapping[str, Connections]) -> set[str]:
    """Return addresses of the plan's own hosts: what comes from there is known by its process."""
    ends: list[str] = [here for one in seen.values() for here, _ in (*one.came, *one.went)]
    planned: Sequence[str] = [host.address for host in subject.cluster.hosts if host.name in seen]
    return {*(end.split(" ")[0] for end in ends), *planned}
