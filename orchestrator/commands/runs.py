"""``runs``: every run of a plan that a state file beside it tells of; no host is asked."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from orchestrator import commandline
from orchestrator.engine.holding import is_in_use
from orchestrator.engine.state_file import read
from orchestrator.errors import OrchestratorError, RefusedError
from orchestrator.output import out
from orchestrator.report import runs
from orchestrator.report.runs import PastRun
from orchestrator.session import default_state

_SET_ASIDE = re.compile(r"\.[0-9a-f]{8}")


def files(plan: Path, state: Path | None = None) -> tuple[Path, ...]:
    """Return the state files of a plan: those that were set aside, then the present one."""
    present = state or default_state(plan)
    try:
        beside = sorted(present.parent.iterdir())
    except OSError as error:
        raise RefusedError(f"{present.parent} cannot be read: {error.strerror}") from error
    kept = [
        path
        for path in beside
        if path.name.startswith(present.name) and _SET_ASIDE.fullmatch(path.name.removeprefix(present.name))
    ]
    return (*kept, *([present] if os.path.lexists(present) else ()))


def show(plan: Path, state: Path | None, *, is_json: bool) -> None:
    """Print every run, the oldest first."""
    found = sorted(
        _told(plan, state), key=lambda one: (one.began is not None, one.began and one.began.timestamp())
    )
    if is_json:
        out(runs.as_json(found))
    elif found:
        out(runs.table(found))
    else:
        begin = commandline.command("run", commandline.argument(plan))
        out(f"no run of {commandline.argument(plan)} is known here; to begin: {begin}")


def _told(plan: Path, state: Path | None) -> Iterator[PastRun]:
    for path in files(plan, state):
        try:
            events, _ = read(path)
            if events:
                yield runs.past(path, events, is_at_work=is_in_use(path))
        except OrchestratorError as error:
            yield PastRun(path, fault=commandline.spelled(str(error), commandline.of_plan(plan)))
