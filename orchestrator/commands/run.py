"""``run``: what happens in it, phase by phase."""

from dataclasses import replace
from functools import partial

from orchestrator.commands.phases import before, binding, changing, offline, probing, reporting
from orchestrator.commands.phases.call import (
    Call,
    Confirm,
    Phase,
    RunOptions,
    Shape,
    follow,
    open_state_file,
    warn,
)
from orchestrator.commands.phases.review import review
from orchestrator.commands.status import read_progress
from orchestrator.engine.context import RunContext
from orchestrator.engine.progress import Progress
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import UsageError
from orchestrator.output import err
from orchestrator.session import Session

# Nothing is changed before a person was asked. The header comes before the locks: if the run dies with them,
# only its id takes them over. They are not held while a person reads, so the hosts are looked at again.
NEW: tuple[Phase, ...] = (
    before.refuse_rivals,
    binding.match_plan,
    before.check_hosts,
    binding.match_facts,
    probing.try_it,
    review,
    before.accept_risk,
    before.accept_repair,
    before.ask,
    changing.write_header,
    changing.lock_every_host,
    changing.look_again,
    changing.save,
    probing.begin,
    changing.walk,
    reporting.report_end,
)
RESUMED: tuple[Phase, ...] = (
    before.refuse_unfinished,
    binding.match_plan,
    before.recall_run,
    binding.match_facts,
    changing.lock_hosts_that_answer,
    changing.save,
    probing.begin,
    changing.walk,
    reporting.report_end,
)
DRY_NEW: tuple[Phase, ...] = (before.check_hosts, review, binding.save)
DRY_RESUMED: tuple[Phase, ...] = (before.recall_run, review, binding.save)


def dry(session: Session, context: RunContext, shape: Shape, canary: str | None = None) -> bool:
    """Print every step that a run would take now; the hosts and the state file stay as they are.

    Returns whether there is anything to do.
    """
    context = _with_canary(session, context, canary)
    progress = read_progress(session)
    if progress.is_rolled_back:
        progress = Progress()  # a run would begin anew, perhaps with another plan
    phases = DRY_RESUMED if progress.attempts else DRY_NEW
    if shape.is_offline:
        phases = (offline.assume, review)
    call = Call(session, context, MemoryEventLog(progress=progress), shape=shape)
    follow(phases, call)
    return bool(call.review and call.review.jobs)


def live(
    session: Session,
    context: RunContext,
    options: RunOptions,
    *,
    confirm: Confirm | None,
    confirm_loss: Confirm | None = None,
) -> None:
    """Run or resume; ``confirm`` is asked before the first change, unless it is None.

    ``confirm_loss`` is asked in the middle, before anybody is cut off; nobody is if it is None.
    """
    _refuse_unknown_state(session, options)
    context = _with_canary(session, context, options.canary)
    insist = partial(_cut_off, options, confirm_loss)
    context = replace(context, soak_s=options.soak_s, insist=insist, waits=not options.cut_off)
    with open_state_file(session) as event_log:
        if event_log.progress.is_rolled_back:
            if options.resume:
                raise UsageError(
                    f"{session.state}: the last run was rolled back, so there is nothing to go on with. "
                    f"Begin anew: {session.command('run')}"
                )
            kept = event_log.set_aside()
            err(f"the last run was rolled back; its story is kept in {kept}")
        phases = RESUMED if options.resume or event_log.progress.attempts else NEW
        call = Call(session, context, event_log, options, confirm)
        if options.reviewed:
            call.approve(options.reviewed)
        follow(phases, call)


def _cut_off(options: RunOptions, confirm: Confirm | None, reasons: str) -> bool:
    """Say who is cut off, and whether that is wanted."""
    if options.cut_off:
        warn(f"cut off, as asked: {reasons}")
        return True
    return confirm is not None and confirm(f"{reasons}. Cut them off?")


def _with_canary(session: Session, context: RunContext, canary: str | None) -> RunContext:
    members = [member.name for member in session.cluster.members]
    if canary is not None and canary not in members:
        raise UsageError(f"--canary {canary}: the plan's members are {', '.join(members)}")
    return replace(context, canary=canary)


def _refuse_unknown_state(session: Session, options: RunOptions) -> None:
    goals = [round_.target.name for round_ in session.rounds]
    if options.until is not None and options.until not in goals:
        raise UsageError(f"--until {options.until}: a run of this plan comes to {', '.join(goals)}")
