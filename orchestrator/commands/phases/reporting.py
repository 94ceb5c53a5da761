"""Phases at the end: what was reached, and whether the members' data is still the same."""

from orchestrator.commands import keeping
from orchestrator.commands.phases.call import Call
from orchestrator.commands.status import report_kept
from orchestrator.output import out
from orchestrator.report import sentences


def report_end(call: Call) -> None:
    """Print where every host stands, and compare the members' data once all stand at the end."""
    progress = call.event_log.progress
    out(f"{'nothing to do' if call.was_finished else 'done'}: {_states(call)}")
    report_kept(progress)
    _report_probe(call)
    if not progress.is_finished:
        out(f"go on with: {call.session.resume_command}")
    elif progress.opened:
        out(keeping.compare(call.session, progress.opened, call.context))


def report_way_back(call: Call) -> None:
    """Print where every host stands again."""
    out(f"rolled back: {_states(call)}")
    _report_probe(call)


def _report_probe(call: Call) -> None:
    account = call.context.witness.account()
    if account:
        out(sentences.of_account(account))


def _states(call: Call) -> str:
    return ", ".join(f"{name} {state}" for name, state in call.event_log.progress.states.items())
