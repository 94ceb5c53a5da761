"""``traces``: the trace of a run that is over, or under way, from its state file; asks no host."""

from pathlib import Path

from orchestrator.engine.state_file import read, refuse_missing
from orchestrator.errors import RefusedError, UsageError
from orchestrator.notify.channel import NotSentError
from orchestrator.notify.opening import ENDPOINTS, wants_traces, why_no_traces
from orchestrator.report.html.story import tell
from orchestrator.session import default_state


def sent(plan: Path, state: Path | None) -> str:
    """Send it where OpenTelemetry's environment says; UsageError without one, RefusedError if it fails."""
    path = state or default_state(plan)
    if not wants_traces():
        raise UsageError(f"nobody says where to: set {ENDPOINTS[0]}, such as http://127.0.0.1:4318")
    if reason := why_no_traces():
        raise UsageError(reason)
    from orchestrator.notify.traces import send  # noqa: PLC0415 -- an extra that may not be there

    refuse_missing(path)
    try:
        return f"sent: {send(tell(read(path)[0]))} spans of {path}"
    except (NotSentError, ValueError) as error:
        raise RefusedError(f"{path}: no trace was sent: {error}") from error
