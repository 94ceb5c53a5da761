"""Phases that bind a run to a review which somebody has approved; they do nothing where there is none."""

from collections.abc import Iterable
from pathlib import Path

from orchestrator import commandline
from orchestrator.commands import approval
from orchestrator.commands.phases.call import Call
from orchestrator.errors import RefusedError


def match_plan(call: Call) -> None:
    """Refuse a plan, or a file that it names, which is not as it was reviewed."""
    if call.approval is not None:
        approved, session = call.approval, call.session
        if approved.direction != call.direction:
            ways = {"forward": "run", "back": "rollback"}
            raise RefusedError(
                f"nothing was changed: {call.approved_in} approves a {ways[approved.direction]}, "
                f"and no {ways[call.direction]}"
            )
        moved = approval.of_plan(approved, session.cluster)
        _refuse(call, (*moved, *approval.of_order(approved, call.context.canary)))


def match_facts(call: Call) -> None:
    """Refuse hosts that are not as they were reviewed, and a runbook that is another one."""
    if call.approval is None:
        return
    approved, progress = call.approval, call.event_log.progress
    facts = progress.opened.facts if progress.opened and progress.attempts else call.facts
    found = [*approval.of_facts(approved, facts, progress.states)]
    found += [f"clients: {one}" for one in call.cut_off if facts.overlaps != approved.facts.overlaps]
    if not found and call.runbook.digest != approved.runbook:
        found = [f"runbook: was {approved.runbook[:12]} (by {approved.tool}), is {call.runbook.digest[:12]}"]
    _refuse(call, found)


def save(call: Call) -> None:
    """Write what was reviewed into the file that is wanted, for a run that is bound to it."""
    if call.shape.saved is None or call.review is None or not call.review.jobs:
        return
    progress = call.event_log.progress
    facts = progress.opened.facts if progress.opened and progress.attempts else call.facts
    canary = call.context.canary
    made = approval.make(call.session.cluster, facts, call.runbook, progress.states, call.direction, canary)
    approval.write(call.shape.saved, made)
    verb = "rollback" if call.direction == "back" else "run"
    options = ("--resume",) if progress.attempts and verb == "run" else ()
    bound = ("--reviewed", _file(call.shape.saved), *_behind(canary))
    again = call.session.command(verb, *options, *bound)
    call.say(f"\nReviewed, and written to {call.shape.saved}. To do exactly this: {again}")


def _behind(canary: str | None) -> tuple[str, ...]:
    return ("--canary", canary) if canary else ()


def _file(path: Path | None) -> str:
    return commandline.argument(path) if path else ""


def _refuse(call: Call, moved: Iterable[str]) -> None:
    found = [*moved]
    if found:
        reported = "\n".join(f"  {one}" for one in found)
        verb = "run" if call.direction == "forward" else "rollback"
        options = ("--dry-run", *_behind(call.context.canary), "--out", _file(call.approved_in))
        raise RefusedError(
            f"nothing was changed: what {call.approved_in} approves is not what is there now:\n{reported}\n"
            f"Review it again: {call.session.command(verb, *options)}"
        )
