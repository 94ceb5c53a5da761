"""``check``, and the same before a run: what could stop it, looked for before the first change."""

from orchestrator.cluster.facts import Facts
from orchestrator.commands.looking import look, look_again
from orchestrator.errors import LoginRefusedError, RefusedError
from orchestrator.output import out, plain
from orchestrator.report.findings import report
from orchestrator.session import Session


def show(session: Session) -> None:
    """Print what was found, and raise RefusedError if anything failed."""
    looked = look(session)
    out(*report(looked.findings))
    if looked.failed:
        named = ", ".join(dict.fromkeys(f"{finding.check} ({finding.where})" for finding in looked.failed))
        raise RefusedError(
            f"nothing was changed: {named} failed. Mend that, then check again: {session.command('check')}"
        )


def passed(session: Session) -> Facts:
    """Return the facts if a run may begin, and print what is doubtful.

    Raises RefusedError with everything that was found if anything failed. The error of a host that could not
    be asked comes first, for it says best how to mend that; what else was found is printed then.
    """
    looked = look(session)
    if not looked.lost and (looked.failed or looked.facts is None):
        told = plain(report(looked.findings, passes=False))
        again = session.command("check")
        raise RefusedError(
            f"nothing was changed; the checks found:\n{told}\nMend that, then check again: {again}"
        )
    out("Checks before the first change:\n", *report(looked.findings, passes=False), "\n")
    if looked.facts is None or looked.lost:
        refused = (error for error in looked.lost if isinstance(error, LoginRefusedError))
        raise next(refused, looked.lost[0])
    return looked.facts


def undisputed(session: Session, facts: Facts) -> None:
    """Refuse to go on where somebody has put on a host what would beat our settings at its next restart."""
    found = [finding for finding in look_again(session, facts) if finding.verdict == "fail"]
    if found:
        told = plain(report(found, passes=False))
        raise RefusedError(
            f"nothing was changed now; the checks found:\n{told}\nMend that, then go on with: "
            f"{session.resume_command}"
        )
