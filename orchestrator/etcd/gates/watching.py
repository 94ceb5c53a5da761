"""What the local clients of a member say: their journals have to fall silent after its restart."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.etcd.asking import always_holds, gate
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answer, Answers, Fact, Script
from orchestrator.plan.facts import Subject
from orchestrator.text import shown

# Seconds since etcd was last started, then each watched unit's state and its journal of the quiet period.
SCRIPT = """
entered=$(systemctl show --property=ActiveEnterTimestampMonotonic --value "$1.service")
now=$(cut -d ' ' -f 1 /proc/uptime)
awk -v now="$now" -v entered="${entered:-0}" 'BEGIN { printf "since %.1f\\n", now - entered / 1000000 }'
quiet=$2
shift 2
for unit; do
  state=$(systemctl show --property=ActiveState --value "$unit.service")
  id=$(systemctl show --property=Id --value "$unit.service")  # journalctl does not know an alias
  lines=$(journalctl --unit="$id" --since="-${quiet}s" --output=cat --no-pager --quiet | base64 -w0)
  printf 'unit %s %s %s\\n' "$unit" "$state" "$lines"
done
"""


@gate
def left_in_peace_by_local_clients(subject: Subject) -> Check:
    """Watched units are active, and after the restart their journals have stayed free of errors."""
    watch = subject.cluster.watch
    if not watch.units:
        return always_holds(subject)
    arguments = (subject.host.service, f"{watch.quiet_s:g}", *watch.units)
    journals = Fact(Script(subject.name, SCRIPT, arguments, timeout_s=8.0), _journals)

    def judge(answers: Answers) -> Iterable[Remark]:
        since_s, units = journals.read(answers)
        if since_s < watch.quiet_s:
            waited = f"{since_s:.0f} of {watch.quiet_s:g} s since the restart"
            yield wrong(f"watching {', '.join(watch.units)}: {waited}")
        for unit in units:
            yield from _of_unit(unit, watch.errors, watch.quiet_s)

    return Check(subject.name, (journals,), judge)


@dataclass(frozen=True, slots=True)
class _Watched:
    unit: str
    state: str
    journal: tuple[str, ...]


def _journals(answer: Answer) -> tuple[float, tuple[_Watched, ...]]:
    """Read the seconds since the restart, and each unit's state and its journal's lines."""
    first, *rest = answer.text.splitlines()
    return float(first.removeprefix("since ")), tuple(map(_watched, rest))


def _watched(line: str) -> _Watched:
    _, unit, state, *encoded = line.split(" ")
    journal = base64.b64decode("".join(encoded), validate=True).decode(errors="replace")
    return _Watched(unit, state, tuple(journal.splitlines()))


def _of_unit(watched: _Watched, errors: str, quiet_s: float) -> Iterable[Remark]:
    if watched.state != "active":
        yield wrong(f"{watched.unit} is {watched.state}")
    offending = [text for text in watched.journal if re.search(errors, text)]
    if offending:
        told = " | ".join(shown(text.strip(), quote="", limit=200) for text in offending[-3:])
        yield wrong(f"{watched.unit} reports {len(offending)} errors in the last {quiet_s:g} s: {told}")
