"""``rollback``: from wherever the hosts stand to their first state, phase by phase."""

from orchestrator.commands.phases import before, changing, reporting
from orchestrator.commands.phases.call import Call, Confirm, Phase, follow, open_state_file
from orchestrator.commands.phases.review import review
from orchestrator.commands.status import read_progress
from orchestrator.engine.context import RunContext
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.session import Session

# The locks come before the review: what is under way is not to move on while a person reads how it is undone.
BACK: tuple[Phase, ...] = (
    before.recall_way_back,
    changing.lock_hosts_that_answer,
    review,
    before.ask,
    changing.walk,
    changing.unlock,
    reporting.report_way_back,
)
DRY_BACK: tuple[Phase, ...] = (before.recall_way_back, review)


def dry(session: Session, context: RunContext) -> None:
    """Print every step that a rollback would take now; the hosts and the state file stay as they are."""
    event_log = MemoryEventLog(progress=read_progress(session))
    follow(DRY_BACK, Call(session, context, event_log, direction="back"))


def live(session: Session, context: RunContext, *, confirm: Confirm | None) -> None:
    """Undo what was done, round by round; ``confirm`` is asked before the first change, unless it is None."""
    with open_state_file(session) as event_log:
        follow(BACK, Call(session, context, event_log, confirm=confirm, direction="back"))
