"""Phases at the end: what was reached, and whether the members' data is still the same."""

from orchestrator.commands import keeping
from orchestrator.commands.phases.context import Context
from orchestrator.commands.standing import tell_kept
from orchestrator.output import out


def tell_end(context: Context) -> None:
    """Print where every host stands, and compare the members' data once all stand at the end."""
    progress = context.journal.progress
    out(f"{'nothing to do' if context.was_finished else 'done'}: {_states(context)}")
    tell_kept(progress)
    if not progress.is_finished:
        out(f"go on with: {context.session.resume_command}")
    elif progress.opened:
        out(keeping.compare(context.session, progress.opened, context.pace))


def tell_way_back(context: Context) -> None:
    """Print where every host stands again."""
    out(f"rolled back: {_states(context)}")


def _states(context: Context) -> str:
    return ", ".join(f"{name} {state}" for name, state in context.journal.progress.states.items())
