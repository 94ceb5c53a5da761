"""Who has talked to a member, over plain http or TLS: by the watcher's record, or by looking for a while."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal, cast, get_args

from orchestrator.etcd.watching.place import STALE_S, TICK_S, Place
from orchestrator.etcd.watching.script import SCRIPT
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Target
from orchestrator.text import shown

Scheme = Literal["http", "https", "unknown"]
Means = Literal["perl", "python", "ports"]

# $1 the watcher's unit, $2 its record, $3 how often to look for one that was written since this look began:
# the watcher asks who is connected every few seconds, and at once if it is woken.
LOOK = r"""
read -r began _ < /proc/uptime
state=$(systemctl show --property=ActiveState --value "$1")
began=${began%.*}${began#*.} tries=$3
if [ "$state" = active ] && [ "$tries" -gt 0 ] && [ -p "$2.wake" ]; then
  timeout 1 sh -c 'echo > "$1"' wake "$2.wake"
fi
while [ "$state" = active ] && [ "$tries" -gt 0 ] && [ -f "$2" ]; do
  ticked=$(sed -n 's/^ticked \([0-9]*\)\.\([0-9][0-9]\)$/\1\2/p' "$2")
  [ "${ticked:-0}" -lt "$began" ] || break
  tries=$((tries - 1))
  sleep 0.05
done
printf 'state %s\n' "$state"
[ ! -f "$2" ] || cat "$2" || exit
read -r now _ < /proc/uptime && printf 'now %s\n' "$now"
"""

UNTIL_NEW = round((TICK_S + 2) / 0.05)  # tries, as LOOK pauses between them
_NO_UNIT = re.compile(r"[-?]")
_UNIT = re.compile(r"[A-Za-z0-9:_.@?\\-]{1,255}")


@dataclass(frozen=True, slots=True)
class Talker:
    """A client of a member, by its address, or by its unit if it is on the host itself.

    ``connections`` were seen since ``first_s`` ago, ``open`` of them are still there, ``received_bytes`` came
    over all of them. ``unit`` and ``process`` are empty for a client of another host, and where a connection
    of the host itself was too short to be attributed; ``is_local`` says that it is of the host itself.
    """

    address: str
    port: int
    scheme: Scheme
    first_s: float
    last_s: float
    connections: int
    received_bytes: int
    open: int
    is_local: bool = False
    unit: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class Watching:
    """What one host's watcher has seen: ``watched_s`` is for how long now, without a gap; 0 if it is not.

    ``state`` is its unit's, ``means`` what tells schemes apart (``ports``: nothing but the port that is
    dialled), and ``ports`` the member's client listeners with their schemes.
    """

    state: str
    watched_s: float
    means: Means
    ports: Mapping[int, tuple[str, ...]]
    talkers: tuple[Talker, ...]


def recorded(target: Target, tries: int = 0) -> Fact[Watching]:
    """What the watcher beside a member has written down.

    With ``tries`` it is waited for that the watcher writes it anew: who connected just before one asks is in
    it then.
    """
    place = Place.of(target)
    return Fact(Script(target.name, LOOK, (place.unit, place.record, str(tries)), timeout_s=10.0), read)


def sampled(target: Target, seconds: int) -> Fact[Watching]:
    """What is seen while one looks for some seconds, with nothing written on the host."""
    arguments = (target.etcd.service, str(seconds), "1", "")
    script = Script(target.name, SCRIPT, arguments, timeout_s=seconds + 10.0, is_slow=True)
    return Fact(script, read)


def read(answer: Answer) -> Watching:
    """Read a record; ValueError if it is none."""
    lines = [line.partition(" ") for line in answer.text.splitlines()]
    fields = {key: rest for key, _, rest in lines if key != "row"}
    ticked = foreign.seconds(fields.get("ticked", "0"), "a moment")
    now = foreign.seconds(fields["now"], "a moment") if "now" in fields else ticked
    since = foreign.seconds(fields.get("since") or "0", "a moment")
    state = fields.get("state", "active")
    is_watching = bool(fields.get("since")) and state == "active" and now - ticked <= STALE_S
    means = fields.get("means", "ports") or "ports"
    if means not in get_args(Means):
        raise ValueError(f"no way to distinguish schemes: {shown(means)}")
    return Watching(
        state=shown(state, quote=""),
        watched_s=max(0.0, now - since) if is_watching else 0.0,
        means=cast("Means", means),
        ports=dict(map(_port, fields.get("ports", "").split())),
        talkers=tuple(_talker(rest, now) for key, _, rest in lines if key == "row"),
    )


def _port(word: str) -> tuple[int, tuple[str, ...]]:
    number, _, schemes = word.partition("=")
    found = tuple(schemes.split(","))
    if not set(found) <= {"http", "https"}:
        raise ValueError(f"a port without a scheme: {shown(word)}")
    return foreign.number(number, "a port"), found


def _talker(row: str, now: float) -> Talker:
    words = row.split(" ", 9)
    if len(words) != 10 or words[2] not in get_args(Scheme) or not _UNIT.fullmatch(words[8]):
        raise ValueError(f"a line that is no client: {shown(row)}")
    address, port, scheme, first, last, connections, received, still_open, unit, process = words
    is_known = not _NO_UNIT.fullmatch(unit)
    return Talker(
        address=str(ip_address(address)),
        port=foreign.number(port, "a port"),
        scheme=cast("Scheme", scheme),
        first_s=max(0.0, now - foreign.seconds(first, "a moment")),
        last_s=max(0.0, now - foreign.seconds(last, "a moment")),
        connections=foreign.number(connections, "a count"),
        received_bytes=foreign.number(received, "bytes"),
        open=foreign.number(still_open, "a count"),
        is_local=unit != "-",
        unit=unit if is_known else "",
        process=shown(process, quote="") if is_known else "",
    )
