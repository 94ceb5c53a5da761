"""``rollback``: from wherever the hosts stand to their first state, phase by phase."""

from orchestrator.commands.phases import before, changing, telling
from orchestrator.commands.phases.context import Confirm, Context, Phase, follow, open_state_file
from orchestrator.commands.phases.review import review
from orchestrator.commands.standing import read_progress
from orchestrator.engine.journal import MemoryJournal
from orchestrator.engine.pace import Pace
from orchestrator.session import Session

# The locks come before the review: what is under way is not to move on while a person reads how it is undone.
BACK: tuple[Phase, ...] = (
    before.recall_way_back,
    changing.lock_hosts_that_answer,
    review,
    before.ask,
    changing.walk,
    changing.unlock,
    telling.tell_way_back,
)
DRY_BACK: tuple[Phase, ...] = (before.recall_way_back, review)


def dry(session: Session, pace: Pace) -> None:
    """Print every step that a rollback would take now; the hosts and the state file stay as they are."""
    journal = MemoryJournal(progress=read_progress(session))
    follow(DRY_BACK, Context(session, pace, journal, direction="back"))


def live(session: Session, pace: Pace, *, confirm: Confirm | None) -> None:
    """Undo what was done, round by round; ``confirm`` is asked before the first change, unless it is None."""
    with open_state_file(session) as journal:
        follow(BACK, Context(session, pace, journal, confirm=confirm, direction="back"))
