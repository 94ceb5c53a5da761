"""What the local clients of a member say: their journals have to fall silent after its restart."""

import base64
import re
from collections.abc import Iterable

from orchestrator.cluster.facts import Subject
from orchestrator.etcd.asking import Inquiry, gate
from orchestrator.operations import Answers, Check
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
  lines=$(journalctl --unit="$unit.service" --since="-${quiet}s" --output=cat --no-pager --quiet | base64 -w0)
  printf 'unit %s %s %s\\n' "$unit" "$state" "$lines"
done
"""


@gate
def left_in_peace_by_local_clients(subject: Subject) -> Inquiry:
    """Watched units are active, and after the restart their journals have stayed free of errors."""
    watch = subject.cluster.watch
    if not watch.units:
        return Inquiry((), lambda _: ())
    arguments = (subject.host.service, f"{watch.quiet_s:g}", *watch.units)
    question = Check(subject.name, SCRIPT, arguments, timeout_s=8.0)

    def judge(answers: Answers) -> Iterable[str]:
        answer = answers[question]
        first, *rest = answer.text.splitlines()
        since_s = float(first.removeprefix("since "))
        if since_s < watch.quiet_s:
            yield f"watching {', '.join(watch.units)}: {since_s:.0f} of {watch.quiet_s:g} s since the restart"
        for line in rest:
            yield from _unit(line, watch.errors, watch.quiet_s)

    return Inquiry((question,), judge)


def _unit(line: str, errors: str, quiet_s: float) -> Iterable[str]:
    _, unit, state, *encoded = line.split(" ")
    if state != "active":
        yield f"{unit} is {state}"
    journal = base64.b64decode("".join(encoded), validate=True).decode(errors="replace").splitlines()
    offending = [text for text in journal if re.search(errors, text)]
    if offending:
        told = " | ".join(shown(text.strip(), quote="", limit=200) for text in offending[-3:])
        yield f"{unit} reports {len(offending)} errors in the last {quiet_s:g} s: {told}"
