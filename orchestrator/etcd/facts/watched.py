"""The local clients that the plan wants watched: how their units stand, and what their journals say."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan import patterns
from orchestrator.plan.facts import Target

# The journal of unit $unit in the last $quiet seconds; journalctl does not know an alias.
_JOURNAL = """
journal() {
  id=$(systemctl show --property=Id --value "$unit.service")
  { journalctl --unit="$id" --since="-${quiet}s" --output=cat --no-pager --quiet ||
    echo 'error: journalctl failed: the journal cannot be read'; } | base64 -w0
}
"""

# Seconds since etcd was last started, then each watched unit's state and its journal of the quiet period.
SINCE_RESTART = f"""{_JOURNAL}
entered=$(systemctl show --property=ActiveEnterTimestampMonotonic --value "$1.service")
now=$(cut -d ' ' -f 1 /proc/uptime)
awk -v now="$now" -v entered="${{entered:-0}}" 'BEGIN {{ printf "since %.1f\\n", now - entered / 1000000 }}'
quiet=$2
shift 2
for unit; do
  state=$(systemctl show --property=ActiveState --value "$unit.service")
  printf 'unit %s %s %s\\n' "$unit" "$state" "$(journal)"
done
"""

# $1 seconds, $2 a unit, then files: seconds since the unit was last started and the files were last changed,
# then the unit's state and its journal of the quiet period.
SINCE_CHANGE = f"""{_JOURNAL}
quiet=$1 unit=$2 changed=0
shift 2
for path; do
  at=$(stat -c %Z -- "$path") || exit 1
  [ "$at" -le "$changed" ] || changed=$at
done
states=$(systemctl show --property=ActiveState,ActiveEnterTimestampMonotonic "$unit.service") || exit 1
entered=$(printf '%s' "$states" | sed -n 's/^ActiveEnterTimestampMonotonic=//p')
state=$(printf '%s' "$states" | sed -n 's/^ActiveState=//p')
up=$(cut -d ' ' -f 1 /proc/uptime)
awk -v up="$up" -v entered="${{entered:-0}}" -v now="$(date +%s)" -v changed="$changed" 'BEGIN {{
  since = up - entered / 1000000
  if (now - changed < since) since = now - changed
  printf "since %.1f\\n", since
}}' || exit 1
printf 'unit %s %s %s\\n' "$unit" "$state" "$(journal)"
"""

# $1 seconds, then units: each one's states and its journal of that time; then, if systemd could not load one,
# every service that there is, for one with a similar name. That list alone takes systemd more than a second.
UNITS = f"""{_JOURNAL}
quiet=$1 lacking=''
shift
for unit; do
  states=$(systemctl show --property=LoadState,ActiveState "$unit.service") || exit
  printf 'unit %s %s %s\\n' "$unit" "$(printf '%s' "$states" | tr '\\n' ' ')" "$(journal)"
  case $states in *LoadState=loaded*) ;; *) lacking=$unit ;; esac
done
[ -z "$lacking" ] ||
  systemctl list-unit-files --no-legend --type=service | sed -n 's/^\\([^ ]*\\)\\.service .*/known \\1/p'
"""

# $1 a command of the plan's, which changes nothing; what it prints on stdout is the client's own matter.
HEALTHY = """
sh -c "$1" </dev/null >/dev/null 2>&1 || {
  status=$?
  echo "exit status $status" >&2
  exit "$status"
}
"""
HEALTHY_WITHIN_S = 10.0

_UNIT = re.compile(
    r"unit (?P<unit>\S+) LoadState=(?P<load>\S+) ActiveState=(?P<state>\S+) (?P<journal>[A-Za-z0-9+/=]*)"
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A watched unit, and the lines of its journal; ``load`` says whether systemd could read the unit."""

    unit: str
    state: str
    journal: tuple[str, ...]
    load: str = "loaded"

    def offending(self, errors: str) -> list[str]:
        """Return the journal's lines that the plan's pattern finds; ValueError if it takes too long."""
        try:
            return patterns.finding(errors, self.journal)
        except patterns.TooSlowError as error:
            reason = (
                f"watch.errors of the plan {error} over the journal of {self.unit}: write simpler words; a "
                "run that has begun goes on with them"
            )
            raise patterns.TooSlowError(reason) from error


def since_restart(target: Target) -> Fact[tuple[float, tuple[Watched, ...]]]:
    """Seconds since etcd was last started, and how the plan's units have been since."""
    watch = target.cluster.watch
    arguments = (target.etcd.service, f"{watch.quiet_s:g}", *watch.units)
    return Fact(Script(target.name, SINCE_RESTART, arguments, timeout_s=8.0), _since_restart)


def since_change(target: Target, unit: str, paths: Sequence[str]) -> Fact[tuple[float, tuple[Watched, ...]]]:
    """Seconds since a client's unit was last started, and its files changed, and how it has been since."""
    arguments = (f"{target.cluster.watch.quiet_s:g}", unit, *paths)
    return Fact(Script(target.name, SINCE_CHANGE, arguments, timeout_s=8.0), _since_restart)


def complaint(target: Target, command: str) -> Fact[str]:
    """Why a client is not well, as the plan's command says; empty if it is."""
    script = Script(target.name, HEALTHY, (command,), timeout_s=HEALTHY_WITHIN_S)
    return Fact(script, lambda answer: answer.reason if answer.exit_status else "")


def _since_restart(answer: Answer) -> tuple[float, tuple[Watched, ...]]:
    first, *rest = answer.text.splitlines()
    return float(first.removeprefix("since ")), tuple(map(_watched, rest))


def _watched(line: str) -> Watched:
    _, unit, state, *encoded = line.split(" ")
    return Watched(unit, state, _lines("".join(encoded)))


Units = tuple[tuple[Watched, ...], tuple[str, ...]]


def units(target: Target, names: Sequence[str]) -> Fact[Units]:
    """How units stand, as far as they were reported, and the names of all that there are."""
    arguments = (f"{target.cluster.watch.quiet_s:g}", *names)
    return Fact(Script(target.name, UNITS, arguments, timeout_s=8.0), _units)


def _units(answer: Answer) -> Units:
    lines = answer.text.splitlines()
    known = tuple(line.removeprefix("known ") for line in lines if line.startswith("known "))
    found = filter(None, map(_UNIT.fullmatch, lines))
    reported = (Watched(one["unit"], one["state"], _lines(one["journal"]), one["load"]) for one in found)
    return tuple(reported), known


def _lines(encoded: str) -> tuple[str, ...]:
    journal = base64.b64decode(encoded, validate=True).decode(errors="replace")
    return tuple(journal.splitlines())
