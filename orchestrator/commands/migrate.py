"""``run``, ``rollback``, and what either would do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from orchestrator.commands import check, keeping, locks
from orchestrator.commands.standing import read_progress, tell_kept
from orchestrator.engine.journal import StateFile
from orchestrator.engine.pace import Pace
from orchestrator.engine.progress import Progress
from orchestrator.errors import RefusedError, StoppedError, UsageError
from orchestrator.output import err, out
from orchestrator.remote.lease import Lease
from orchestrator.report.review import review
from orchestrator.runbook.model import Runbook
from orchestrator.session import Session, header, new_run, refuse_unfinished

Confirm = Callable[[str], bool]


def dry(session: Session, pace: Pace) -> None:
    """Print every step that a run would take now; the hosts and the state file stay as they are."""
    progress = read_progress(session)
    if progress.is_rolled_back:
        progress = Progress()  # a run would begin anew, perhaps with another plan
    if progress.attempts:
        _print_review(session, _recalled(session, progress), progress, pace)
        return
    found = check.passed(session)
    if found is None:
        _tell_migrated(session)
        return
    facts, cut_off = found
    runbook = session.compile(facts)
    first = Progress.of([header(session, new_run(), facts, runbook)])
    _print_review(session, runbook, first, pace, cut_off)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator wants of a run."""

    resume: bool
    until: str | None
    accept_risk: bool


def live(session: Session, pace: Pace, wish: Wish, *, confirm: Confirm | None) -> None:
    """Run or resume; ``confirm`` is asked before the first change, unless it is None."""
    until = wish.until
    goals = [round_.target.name for round_ in session.rounds]
    if until is not None and until not in goals:
        raise UsageError(f"--until {until}: a run of this plan comes to {', '.join(goals)}")
    with _state_file(session) as journal:
        if journal.progress.is_rolled_back:
            if wish.resume:
                raise UsageError(
                    f"{session.state}: the last run was rolled back, so there is nothing to go on with. "
                    f"Begin anew: {session.command('run')}"
                )
            kept = journal.set_aside()
            err(f"the last run was rolled back; its story is kept in {kept}")
        if wish.resume or journal.progress.attempts:
            if not wish.resume:
                refuse_unfinished(session, journal.progress)
            _go_on(session, journal, pace, until)
        else:
            _begin(session, journal, pace, wish, confirm)


def _go_on(session: Session, journal: StateFile, pace: Pace, until: str | None) -> None:
    """Resume; a host that is away now is waited for by its gates, so its lock may be taken later."""
    runbook = _recalled(session, journal.progress)
    is_finished = journal.progress.is_finished
    with session.locked(_run_of(journal), "run", _warn, absent_ok=True) as lease:
        _walk(session, lease, runbook, journal, pace, until)
        _tell_end(session, journal.progress, pace, "nothing to do" if is_finished else "done")


def _begin(session: Session, journal: StateFile, pace: Pace, wish: Wish, confirm: Confirm | None) -> None:
    """Begin a new run. Nobody's locks are held while the operator reads, so the hosts are looked at again."""
    # a process that died with the locks before its first step left its run's id: only that id takes them over
    run = journal.progress.opened.run if journal.progress.opened else new_run()
    locks.refuse_rivals(session, run)
    found = check.passed(session)
    if found is None:
        _tell_migrated(session)
        return
    facts, cut_off = found
    runbook = session.compile(facts)
    first = Progress.of([header(session, run, facts, runbook)])
    _print_review(session, runbook, first, pace, cut_off)
    if runbook.risk and not wish.accept_risk:
        raise RefusedError(f"nothing was changed: {runbook.risk}. To go on all the same: --accept-risk")
    _ask(confirm)
    journal.forget()  # a run that was refused before its first step leaves nothing else to remember
    journal.append(header(session, run, facts, runbook))
    with session.locked(run, "run", _warn, absent_ok=False) as lease:
        if session.gather() != facts:
            raise RefusedError(
                "nothing was changed: the hosts are not as the review showed them; run it again"
            )
        _walk(session, lease, runbook, journal, pace, wish.until)
        _tell_end(session, journal.progress, pace, "done")


def _walk(
    session: Session, lease: Lease, runbook: Runbook, journal: StateFile, pace: Pace, until: str | None
) -> None:
    """Keep what is there, unless that was done or a step has begun and changed it; then walk."""
    progress = journal.progress
    if progress.opened and not progress.saved and not progress.attempts:
        out(keeping.keep(session, lease, journal, progress.opened, pace))
    session.live(lease, runbook, journal, pace, until=until)


def _tell_end(session: Session, progress: Progress, pace: Pace, word: str) -> None:
    out(f"{word}: {_states(progress)}")
    tell_kept(progress)
    if progress.is_finished and progress.opened:
        out(keeping.compare(session, progress.opened, pace))


def back(session: Session, pace: Pace, *, dry_run: bool, confirm: Confirm | None) -> None:
    """Undo what was done, round by round, from wherever the hosts stand to their first state."""
    if dry_run:
        progress = read_progress(session)
        _print_review(session, _runbook_back(session, progress), progress, pace)
        return
    with _state_file(session) as journal:
        runbook = _runbook_back(session, journal.progress)
        with session.locked(_run_of(journal), "rollback", _warn, absent_ok=True) as lease:
            _print_review(session, runbook, journal.progress, pace)
            _ask(confirm)
            session.live(lease, runbook, journal, pace, direction="back")
        out(f"rolled back: {_states(journal.progress)}")


def _runbook_back(session: Session, progress: Progress) -> Runbook:
    session.recall(progress)
    if progress.opened is None or not progress.attempts:
        raise UsageError(f"{session.state}: no step was ever begun, so there is nothing to undo")
    return session.back(progress.opened)


def _state_file(session: Session) -> StateFile:
    journal = StateFile(session.state, warn=_warn)
    session.moment.on_leaving.append(journal.close)
    return journal


def _warn(text: str) -> None:
    err(f"warning: {text}")


def _run_of(journal: StateFile) -> str:
    if journal.progress.opened is None:
        raise ValueError("the state file has no header")
    return journal.progress.opened.run


def _ask(confirm: Confirm | None) -> None:
    if confirm is not None and not confirm("Do this?"):
        raise RefusedError("nothing was changed: you said no")


def _states(progress: Progress) -> str:
    return ", ".join(f"{name} {state}" for name, state in progress.states.items())


def _recalled(session: Session, progress: Progress) -> Runbook:
    """Compile the runbook of the state file anew, for hosts that still let it be carried out."""
    runbook = session.recall(progress)
    if progress.opened:
        check.undisputed(session, progress.opened.facts)
    return runbook


def _tell_migrated(session: Session) -> None:
    out(check.MIGRATED.format(state=session.migration.rounds_of("member")[-1].target.name))


def _print_review(
    session: Session, runbook: Runbook, progress: Progress, pace: Pace, cut_off: Sequence[str] = ()
) -> None:
    quiet = replace(pace, narrate=lambda _: None)
    try:
        deeds = session.rehearse(runbook, progress, quiet)
    except StoppedError as error:
        raise RefusedError(f"a run would stop at once: {error}") from error
    out(review(runbook, deeds, cut_off))
