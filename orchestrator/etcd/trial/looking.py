"""Looking at a host's trial: whether it runs, whom its etcd has reached, and what it said last."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.etcd import last_words
from orchestrator.etcd.trial.place import DIRECTORY, DROP_INS, UNIT
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Target
from orchestrator.text import shown

# Its state, whether its network is not the host's, its proxy variables by name, what its metrics say of peers
# (on a port that the kernel chose), and from its journal, of this start alone, etcd's lines of whom it has
# dialled, and the last lines. etcd writes every variable of its own there: those lines stay where they are,
# but for the one that names a variable which is a flag as well. Of one that ends at once journald may not
# know the start: what its process said in this unit counts as well.
LOOK = r"""
unit=$1.service
shown=$(systemctl show --property=LoadState,ActiveState,SubState,Result,MainPID,ExecMainPID,InvocationID \
  "$unit") || exit
printf '%s\n' "$shown"
main=${shown#*ExecMainPID=} main=${main%%[!0-9]*}
pid=$(printf '%s\n' "$shown" | sed -n 's/^MainPID=//p')
if [ "${pid:-0}" -gt 0 ]; then
  [ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/1/ns/net)" ] || echo network=own
  tr '\0' '\n' < "/proc/$pid/environ" | sed -n 's/^\(HTTPS\{0,1\}_PROXY\|https\{0,1\}_proxy\)=..*/proxy=\1/p'
  # before it is ready nobody answers at its client port, which is one of these
  case $shown in *ActiveState=active*)
    ss --no-header --listening --tcp --numeric --processes |
      sed -n "/pid=$pid,/s/.* 127\.0\.0\.1:\([0-9]*\) .*/\1/p" | while read -r port; do
        curl --silent --noproxy '*' --max-time 2 "http://127.0.0.1:$port/metrics" |
          sed -n 's/^etcd_\(network_active_peers\|server_id\){/metric=&/p'
      done ;;
  esac
fi
id=${shown#*InvocationID=} id=${id%%[!0-9a-f]*}
[ -n "$id" ] || exit 0
logged() {
  journalctl "_SYSTEMD_INVOCATION_ID=$id" + "INVOCATION_ID=$id" + "_SYSTEMD_UNIT=$unit" "_PID=$main" \
    --boot --output=cat --no-pager --quiet "$@"
}
logged | sed -n -e 's/.*starting member \([0-9a-f]*\) in cluster.*/id=\1/p' \
  -e 's/.*established a TCP streaming connection with peer \([0-9a-f]*\) (.*reader).*/dialled=\1/p' \
  -e '/established TCP streaming/s/.*stream-reader-type.*remote-peer-id": *"\([0-9a-f]*\)".*/dialled=\1/p' |
  sort -u
ending=$(logged --lines=400 | sed -e '/conflicting environment variable/b' -e '/environment variable/d' |
  tail -c 32768 | base64 -w0)
printf 'journal=%s\n' "$ending"
"""
# $1 the trial's unit, then paths: what of it is still there, a line each.
LEFT = """
systemctl show --property=ActiveState --value "$1.service" | grep -v -x inactive && echo "$1.service"
for path in "$2" "$3"; do [ ! -e "$path" ] || echo "$path"; done
exit 0
"""

_METRIC = re.compile(r"etcd_(?P<name>\w+)\{(?P<labels>[^}]*)\} (?P<value>[0-9.e+]+)")
_LABEL = re.compile(r'\b(\w{1,64})="([0-9a-f]{1,16})"')
# Nobody listens where it tells its clients to be, and we ask its client port for metrics: that is no trouble.
_SAYS_NOTHING = re.compile(r"127\.0\.0\.1:")


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """How a trial stands.

    ``is_ready`` says that its etcd has reported so to systemd, which takes a quorum of trials. ``id`` is
    etcd's own, and ``reached`` are the ids of those whom its dialler has reached, as its log says, and whom
    its metrics count as active where it has such metrics; both empty before that is known.
    ``has_own_network`` says that it is not in the host's, where others could reach it. ``proxies`` are names
    of variables, ``said`` its last words, and ``rejected`` what it said last of diallers that it turned away.
    """

    state: str
    is_running: bool
    is_ready: bool
    id: str
    reached: frozenset[str]
    has_own_network: bool
    proxies: tuple[str, ...]
    said: tuple[str, ...]
    rejected: tuple[str, ...]


def status(target: Target) -> Fact[TrialStatus]:
    """How the trial on a member's host stands."""
    return Fact(Script(target.name, LOOK, (UNIT,), timeout_s=15.0), _status)


def left(target: Target) -> Fact[tuple[str, ...]]:
    """What is left of the trial on a member's host."""
    script = Script(target.name, LEFT, (UNIT, DIRECTORY, DROP_INS))
    return Fact(script, lambda answer: tuple(answer.text.splitlines()))


def _status(answer: Answer) -> TrialStatus:
    pairs = answer.pairs
    fields = dict(pairs)
    journal = _text(fields.get("journal", ""))
    metrics = [metric for key, value in pairs if key == "metric" and (metric := _METRIC.match(value))]
    ids = [dict(_LABEL.findall(one["labels"])).get("server_id", "") for one in metrics]
    dialled = frozenset(value for key, value in pairs if key == "dialled")
    state = fields.get("ActiveState", "unknown")
    is_running = state in {"active", "activating"} and fields.get("MainPID", "0") != "0"
    said, rejected = _last_words(journal, is_running=is_running)
    return TrialStatus(
        state=shown(f"{state} ({fields.get('Result', '?')})", quote=""),
        is_running=is_running,
        is_ready=state == "active",
        id=next(filter(None, (*ids, fields.get("id"))), ""),
        reached=dialled & _active(metrics) if any(map(_is_of_peer, metrics)) else dialled,
        has_own_network=fields.get("network") == "own",
        proxies=tuple(dict.fromkeys(shown(value, quote="") for key, value in pairs if key == "proxy")),
        said=said,
        rejected=rejected,
    )


def _is_of_peer(metric: re.Match[str]) -> bool:
    return metric["name"] == "network_active_peers"


def _active(metrics: Iterable[re.Match[str]]) -> frozenset[str]:
    """Read whom etcd counts as active (3.4 and later): its own dialling works, or has not failed just yet.

    A stream that the other opens makes it active too, until the next dial to it fails.
    """
    labels = ((dict(_LABEL.findall(one["labels"])), float(one["value"])) for one in metrics)
    return frozenset(found["Remote"] for found, value in labels if value >= 1 and "Remote" in found)


def _last_words(journal: str, *, is_running: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Choose the last lines that say why something is wrong, and those of diallers that were turned away."""
    lines = [line for line in last_words.lines(journal) if not _SAYS_NOTHING.search(line)]
    rejected = [line for line in lines if "rejected" in line]
    return last_words.chosen(lines, is_running=is_running), last_words.chosen(rejected, is_running=True)


def _text(encoded: str) -> str:
    return base64.b64decode(encoded, validate=True).decode(errors="replace")
