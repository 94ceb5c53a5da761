"""The phase that shows every step before a person is asked."""

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.commands.dry_run import rehearse
from orchestrator.commands.phases.call import Call
from orchestrator.commands.phases.seen import seen as seen_now
from orchestrator.commands.recall import header
from orchestrator.engine.progress import Progress
from orchestrator.errors import RefusedError, StoppedError
from orchestrator.output import out
from orchestrator.plan.facts import Target
from orchestrator.report.review import as_json, by_hand, markdown, text
from orchestrator.report.review.making import make
from orchestrator.report.review.model import Review


def review(call: Call) -> None:
    """Print every step that the run will take from here; refuses what would stop at once."""
    session, progress = call.session, call.event_log.progress
    if not progress.attempts:
        progress = Progress.of([header(session, call.run, call.facts, call.runbook)])
    if progress.opened is None:
        raise ValueError("the state file has no header")
    outside: list[str] = []

    def note(reasons: str) -> bool:
        outside.append(f"the run waits first, or stops: {reasons}")
        return True

    quiet = replace(call.context, narrate=lambda _: None, insist=note, waits=False, permits=None, soak_s=0.0)
    try:
        jobs = rehearse(call.runbook, None if call.shape.is_offline else session.hosts, progress, quiet)
    except StoppedError as error:
        raise RefusedError(f"a run would stop at once: {error}") from error
    seen = seen_now(call, progress.opened, progress, jobs, outside)
    call.review = make(call.runbook, jobs, seen)
    _show(call, call.review, seen.targets)


def _show(call: Call, review: Review, targets: Sequence[Target]) -> None:
    """Print the review in the form that is wanted; of one that was approved, what stands first."""
    if call.approval is not None:
        out(*text.summary(review))
        return
    match call.shape.format:
        case "text":
            out(*text.parts(review, verbose=call.shape.verbose))
        case "json":
            out(as_json.rendered(review))
        case "markdown":
            out(markdown.rendered(review), end="")
            if call.shape.by_hand:
                out("\n" + by_hand.rendered(review, targets), end="")
