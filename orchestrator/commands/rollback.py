"""``rollback``: from wherever the hosts stand to their first state, phase by phase."""

from pathlib import Path

from orchestrator.commands.phases import before, binding, changing, probing, reporting
from orchestrator.commands.phases.call import (
    Call,
    Confirm,
    Phase,
    RunOptions,
    Shape,
    follow,
    open_state_file,
)
from orchestrator.commands.phases.review import review
from orchestrator.commands.status import read_progress
from orchestrator.engine.context import RunContext
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.session import Session

# The locks come before the review: what is under way is not to move on while a person reads how it is undone.
BACK: tuple[Phase, ...] = (
    binding.match_plan,
    before.recall_way_back,
    binding.match_facts,
    changing.lock_hosts_that_answer,
    review,
    before.ask,
    probing.begin,
    changing.walk,
    changing.unlock,
    reporting.report_way_back,
)
DRY_BACK: tuple[Phase, ...] = (before.recall_way_back, review, binding.save)


def dry(session: Session, context: RunContext, shape: Shape) -> bool:
    """Print every step that a rollback would take now; the hosts and the state file stay as they are.

    Returns whether there is anything to do.
    """
    event_log = MemoryEventLog(progress=read_progress(session))
    call = Call(session, context, event_log, direction="back", shape=shape)
    follow(DRY_BACK, call)
    return bool(call.review and call.review.jobs)


def live(
    session: Session,
    context: RunContext,
    *,
    confirm: Confirm | None,
    reviewed: Path | None = None,
    probe: bool = False,
) -> None:
    """Undo what was done, round by round; ``confirm`` is asked before the first change, unless it is None.

    ``reviewed`` is the file with the approved review to which this is bound: then nobody is asked. With
    ``probe`` a client of our own uses the cluster meanwhile.
    """
    with open_state_file(session) as event_log:
        options = RunOptions(probe=probe)
        call = Call(session, context, event_log, options, confirm, direction="back")
        if reviewed:
            call.approve(reviewed)
        follow(BACK, call)
