"""The local clients that the plan wants watched: they have to be there, to run and to be quiet already."""

import base64
import difflib
import re
import shlex
from collections.abc import Callable, Iterable

from orchestrator.etcd.preflight.members import CLUSTER
from orchestrator.etcd.preflight.site import Site
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answer, Answers, Fact, Script
from orchestrator.text import shown

# $1 seconds, then units: each one's states and its journal of that time; then every service that there is.
SCRIPT = """
quiet=$1
shift
for unit; do
  states=$(systemctl show --property=LoadState,ActiveState "$unit.service") || exit
  id=$(systemctl show --property=Id --value "$unit.service")  # journalctl does not know an alias
  lines=$(journalctl --unit="$id" --since="-${quiet}s" --output=cat --no-pager --quiet | base64 -w0)
  printf 'unit %s %s %s\\n' "$unit" "$(printf '%s' "$states" | tr '\\n' ' ')" "$lines"
done
systemctl list-unit-files --no-legend --type=service | sed -n 's/^\\([^ ]*\\)\\.service .*/known \\1/p'
"""

_UNIT = re.compile(
    r"unit (?P<unit>\S+) LoadState=(?P<load>\S+) ActiveState=(?P<active>\S+) (?P<journal>[A-Za-z0-9+/=]*)"
)


def watched(site: Site) -> Iterable[Check]:
    """Ask each member for the units that will be watched there while it restarts."""
    watch = site.cluster.watch
    if not watch.units:
        yield Check(CLUSTER, (), lambda _: (fine("the plan names no unit to watch"),))
    for subject in site.members if watch.units else ():
        question = Script(subject.name, SCRIPT, (f"{watch.quiet_s:g}", *watch.units), timeout_s=8.0)
        units = Fact(question, _units)
        yield Check(subject.name, (units,), _judge(units, watch.errors, len(watch.units)))


Units = tuple[list["re.Match[str]"], list[str]]


def _units(answer: Answer) -> Units:
    """Read the watched units, and the names of all that there are."""
    lines = answer.text.splitlines()
    known = [line.removeprefix("known ") for line in lines if line.startswith("known ")]
    return [found for found in map(_UNIT.fullmatch, lines) if found], known


def _judge(fact: Fact[Units], errors: str, count: int) -> Callable[[Answers], Iterable[Remark]]:
    def judge(answers: Answers) -> Iterable[Remark]:
        units, known = fact.read(answers)
        if len(units) != count:
            raise ValueError(f"{len(units)} of {count} units were told of")
        troubles = [remark for found in units for remark in _of_unit(found, errors, known)]
        yield from troubles
        if not troubles:
            yield fine(f"{', '.join(found['unit'] for found in units)}: active and quiet")

    return judge


def _of_unit(found: re.Match[str], errors: str, known: list[str]) -> Iterable[Remark]:
    unit = found["unit"]
    if found["load"] != "loaded":
        similar = difflib.get_close_matches(unit, known, n=3)
        hint = f"; there is {', '.join(shown(name, quote='') for name in similar)}" if similar else ""
        is_there = found["load"] != "not-found"
        if found["load"] == "masked":
            name = f"{shlex.quote(unit)}.service"
            yield wrong(
                f"{unit}.service is masked",
                f"systemctl unmask {name} && systemctl start {name}, or take it out of the plan (watch)",
            )
            return
        yield wrong(
            f"{unit}.service is {found['load']}" if is_there else f"there is no unit {unit}.service{hint}",
            "write the name of a unit into the plan that every member has, without .service, or take it out "
            "(watch)",
        )
        return
    if found["active"] != "active":
        yield wrong(
            f"{unit}.service is {found['active']}",
            f"systemctl start {shlex.quote(unit)}.service, or take it out of the plan (watch)",
        )
        return
    journal = base64.b64decode(found["journal"], validate=True).decode(errors="replace").splitlines()
    offending = [text for text in journal if re.search(errors, text)]
    if offending:
        yield doubtful(
            f"{unit}.service reports errors already, before any restart: {shown(offending[-1].strip(), '')}",
            f"mend what it reports (journalctl --unit {shlex.quote(unit)}.service): a step waits until its "
            "journal is quiet; or count other lines only in the plan, such as "
            r"watch: {units: [...], errors: '(?i)\b(fatal|panic)\b'}",
        )
