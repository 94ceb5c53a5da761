"""``check``, and the same before a run: what could stop it, looked for before the first change."""

import time
from collections.abc import Callable, Collection

from orchestrator.commands import recall, recover
from orchestrator.commands.preflight import Looked, look, look_again
from orchestrator.commands.recover import UnreadableError
from orchestrator.commands.status import read_progress
from orchestrator.errors import LoginRefusedError, RefusedError, StoppedError
from orchestrator.etcd.checks.item import Finding
from orchestrator.output import out, plain
from orchestrator.plan.facts import Facts
from orchestrator.remote.each_host import ask_each
from orchestrator.remote.executor import refused
from orchestrator.report.findings import report
from orchestrator.session import Session

CLIENTS, LOCK = "clients", "lock"
_LOOKS_AGAIN, _PAUSE_S = 4, 2.0  # from fork to exec it takes milliseconds, and longer on a busy machine
MIGRATED = "already migrated: every member stands in '{state}'; there is nothing to do"


def show(session: Session) -> None:
    """Print what was found, and raise RefusedError if anything failed.

    A cluster that has been migrated passes; one in the middle of a migration is no matter for these checks.
    """
    progress = read_progress(session)
    if progress.is_under_way:
        raise StoppedError(
            "a migration is under way, and these checks are for the time before the first change. "
            f"Where it stands: {session.command('status')}"
        )
    if progress.is_finished and progress.opened:
        _report_end(session, progress.opened.facts)
        return
    looked = look(session)
    if looked.failed and is_at_the_end(session, progress.opened.facts if progress.opened else looked.facts):
        out(MIGRATED.format(state=session.end))
        return
    if progress.opened is None:
        _refuse_forgotten(session, looked)
    out(*report(looked.findings))
    if looked.failed:
        named = ", ".join(dict.fromkeys(f"{finding.check} ({finding.where})" for finding in looked.failed))
        raise RefusedError(
            f"nothing was changed: {named} failed. Fix that, then check again: {session.command('check')}"
        )


def _report_end(session: Session, facts: Facts) -> None:
    """Say whether a run's end still holds: the fixes of the checks before it would undo what it did."""
    if not is_at_the_end(session, facts):
        raise RefusedError(
            f"nothing was changed: the run of {session.state} came to its end, not every host is seen to "
            "stand there now, and these checks are for the time before the first change. Where each stands, "
            f"and what differs: {session.command('status')}"
        )
    out(MIGRATED.format(state=session.end))


def passed(session: Session, say: Callable[..., None] = out) -> tuple[Facts, tuple[str, ...]] | None:
    """Return the facts if a run may begin, with those whom it cuts off, and ``say`` what is doubtful.

    None if there is nothing to do, for every host stands where the migration ends. Raises RefusedError with
    everything that was found if anything failed. The error of a host that could not be asked comes first, for
    it says best how to fix that; what else was found is printed then.
    """
    looked = look(session)
    if looked.failed and not looked.lost and is_at_the_end(session, looked.facts):
        return None
    _refuse_forgotten(session, looked)
    if not looked.lost and (looked.failed or looked.facts is None):
        reported = plain(report(looked.findings, passes=False))
        again = session.command("check")
        raise RefusedError(
            f"nothing was changed; the checks found:\n{reported}\nFix that, then check again: {again}"
        )
    say("Checks before the first change:\n", *report(looked.findings, passes=False), "\n")
    if looked.facts is None or looked.lost:
        refused = (error for error in looked.lost if isinstance(error, LoginRefusedError))
        raise next(refused, looked.lost[0])
    return looked.facts, tuple(
        f"{finding.where}: {finding.evidence}"
        for finding in looked.findings
        if finding.check == CLIENTS and finding.verdict == "warn"
    )


def _refuse_forgotten(session: Session, looked: Looked) -> None:
    """Refuse hosts that stand in a run without its state file: what that has changed is nothing to fix.

    What failed is reported first where a host is lost, where they do not say (a program may be missing), and
    while somebody holds their locks, for that run may be at work.
    """
    if looked.lost or any(finding.check == LOCK for finding in looked.failed):
        return
    try:
        recover.refuse_forgotten(session)
    except UnreadableError:
        if not looked.failed:
            raise


def is_at_the_end(session: Session, facts: Facts | None) -> bool:
    """Look whether every host stands where the migration ends, whoever has brought it there."""
    if facts is None:
        return False
    try:
        runbook = recall.compile_there(session, facts)
    except RefusedError:  # a certificate that cannot be read: 'certificates' has said so
        return False
    gates = [gate for host, state in runbook.finals.items() for gate in runbook.gates[host, state]]
    heard = ask_each(session.hosts, (question for gate in gates for question in gate.questions))
    return not heard.errors and not refused(gates, heard.answers)


def undisputed(
    session: Session,
    facts: Facts,
    unsettled: Collection[str] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Refuse to go on where somebody has put on a host what would beat our settings at its next restart.

    A host whose step is unsettled may be just restarting its etcd: between fork and exec the unit's main
    process still has systemd's own environment. What is wrong there alone is looked at again for a while.
    """
    found = _failing(session, facts)
    for _ in range(_LOOKS_AGAIN):
        if not found or not all(finding.where in unsettled for finding in found):
            break
        sleep(_PAUSE_S)
        found = _failing(session, facts)
    if found:
        reported = plain(report(found, passes=False))
        raise RefusedError(
            f"nothing was changed now; the checks found:\n{reported}\nFix that, then go on with: "
            f"{session.resume_command}"
        )


def returnable(session: Session, facts: Facts) -> None:
    """Refuse to go back where the operator's own files would not bring back what was there."""
    failing = [one for one in look_again(session, facts, goes_back=True) if one.verdict == "fail"]
    if failing:
        reported = plain(report(failing, passes=False))
        raise RefusedError(
            f"nothing was changed now; the checks found:\n{reported}\nFix that, then go back with: "
            f"{session.command('rollback')}"
        )


def _failing(session: Session, facts: Facts) -> list[Finding]:
    return [finding for finding in look_again(session, facts) if finding.verdict == "fail"]
