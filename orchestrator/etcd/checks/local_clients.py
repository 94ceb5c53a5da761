"""The local clients that the plan wants watched: quiet before a run, and quiet after each restart."""

import difflib
import shlex
from collections.abc import Iterable

from orchestrator.etcd.checks.gate import always_holds, gate
from orchestrator.etcd.checks.site import CLUSTER, Site
from orchestrator.etcd.facts import watched
from orchestrator.etcd.facts.watched import Watched
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target
from orchestrator.plan.patterns import TooSlowError
from orchestrator.text import shown

_SIMPLER = r"write words alone into the plan, such as watch: {units: [...], errors: '(?i)\b(fatal|panic)\b'}"


@gate
def local_clients_healthy(target: Target) -> Check:
    """Watched units are active, and after the restart their journals have stayed free of errors."""
    watch = target.cluster.watch
    if not watch.units:
        return always_holds(target)
    journals = watched.since_restart(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        since_s, units = journals.read(answers)
        if since_s < watch.quiet_s:
            waited = f"{since_s:.0f} of {watch.quiet_s:g} s since the restart"
            yield wrong(f"watching {', '.join(watch.units)}: {waited}")
        for unit in units:
            yield from since(unit, watch.errors, watch.quiet_s)

    return Check(target.name, (journals,), judge)


def since(watched: Watched, errors: str, quiet_s: float) -> Iterable[Remark]:
    """Say what is wrong with a unit that has to be active, and to have been quiet for so long."""
    if watched.state != "active":
        yield wrong(f"{watched.unit} is {watched.state}")
    offending = watched.offending(errors)
    if offending:
        reported = " | ".join(shown(text.strip(), quote="", limit=200) for text in offending[-3:])
        yield wrong(f"{watched.unit} reports {len(offending)} errors in the last {quiet_s:g} s: {reported}")


def local_clients(site: Site) -> Iterable[Check]:
    """Ask each member for the units that will be watched there while it restarts."""
    if site.cluster.watch.units:
        return map(_units, site.members)
    return (Check(CLUSTER, (), lambda _: (fine("the plan names no unit to watch"),)),)


def _units(target: Target) -> Check:
    watch = target.cluster.watch
    units = watched.units(target, watch.units)

    def judge(answers: Answers) -> Iterable[Remark]:
        found, known = units.read(answers)
        if len(found) != len(watch.units):
            raise ValueError(f"{len(found)} of {len(watch.units)} units were reported")
        troubles = [remark for one in found for remark in of_unit(one, watch.errors, known, "watch")]
        yield from troubles
        if not troubles:
            yield fine(f"{', '.join(one.unit for one in found)}: active and quiet")

    return Check(target.name, (units,), judge)


def of_unit(watched: Watched, errors: str, known: Iterable[str], field: str) -> Iterable[Remark]:
    """Say what is wrong with a unit before a run; ``field`` of the plan names it."""
    unit = watched.unit
    if watched.load != "loaded":
        similar = difflib.get_close_matches(unit, known, n=3)
        hint = f"; there is {', '.join(shown(name, quote='') for name in similar)}" if similar else ""
        is_there = watched.load != "not-found"
        if watched.load == "masked":
            name = f"{shlex.quote(unit)}.service"
            yield wrong(
                f"{unit}.service is masked",
                f"systemctl unmask {name} && systemctl start {name}, or take it out of the plan ({field})",
            )
            return
        yield wrong(
            f"{unit}.service is {watched.load}" if is_there else f"there is no unit {unit}.service{hint}",
            "write the name of a unit into the plan that every member has, without .service, or take it out "
            f"({field})",
        )
        return
    if watched.state != "active":
        yield wrong(
            f"{unit}.service is {watched.state}",
            f"systemctl start {shlex.quote(unit)}.service, or take it out of the plan ({field})",
        )
        return
    try:
        offending = watched.offending(errors)
    except TooSlowError as error:
        yield wrong(str(error), _SIMPLER)
        return
    if offending:
        yield doubtful(
            f"{unit}.service reports errors already, before any restart: {shown(offending[-1].strip(), '')}",
            f"fix what it reports (journalctl --unit {shlex.quote(unit)}.service): a step waits until its "
            "journal is quiet; or count other lines only in the plan, such as "
            r"watch: {units: [...], errors: '(?i)\b(fatal|panic)\b'}",
        )
