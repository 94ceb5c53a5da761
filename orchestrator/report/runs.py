"""Past runs for people and programs: when each was, how long it took, how far it came and how it ended."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.engine.events import Opened, Recorded, RunBegan, StepFailed, StepSucceeded
from orchestrator.engine.progress import Progress
from orchestrator.text import shown

FORMAT = 1


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run, out of its state file; ``fault`` says why nothing can be reported of it."""

    file: Path
    run: str = ""
    migration: str = ""
    began: datetime | None = None
    last: datetime | None = None
    outcome: str = ""
    processes: int = 0
    steps: int = 0
    undone: int = 0
    failed: int = 0
    states: str = ""
    fault: str = ""

    @property
    def took(self) -> timedelta:
        """How long it was from its first to its last event, pauses between processes included."""
        return self.last - self.began if self.last and self.began else timedelta()


def past(file: Path, events: Sequence[Recorded], *, is_at_work: bool) -> PastRun:
    """Tell of the run that a file holds."""
    progress = Progress.of(events)
    opened = next((event for event in events if isinstance(event, Opened)), None)
    if opened is None:
        return PastRun(file, fault="holds no run")
    done = _steps(events)
    return PastRun(
        file,
        run=opened.run,
        migration=opened.migration,
        began=opened.at,
        last=max(event.at for event in events),  # clocks may have been set back meanwhile
        outcome="at work" if is_at_work else _outcome(progress),
        processes=sum(isinstance(event, RunBegan) for event in events),
        steps=done[0],
        undone=done[1],
        failed=sum(isinstance(event, StepFailed) for event in events),
        states=", ".join(f"{host} {state}" for host, state in sorted(progress.states.items())),
    )


def _steps(events: Sequence[Recorded]) -> tuple[int, int]:
    """Count the steps that succeeded, there and back."""
    there = back = 0
    is_back = False
    for event in events:
        if isinstance(event, RunBegan):
            is_back = event.direction == "back"
        elif isinstance(event, StepSucceeded):
            there, back = (there, back + 1) if is_back else (there + 1, back)
    return there, back


def _outcome(progress: Progress) -> str:
    if progress.is_rolled_back:
        return "rolled back"
    if not progress.begun:
        return "nothing begun"
    return progress.outcome or "ended without a word"


def table(runs: Sequence[PastRun]) -> str:
    """Return them as an aligned table, the last one at the end."""
    rows = [("run", "began (UTC)", "took", "outcome", "steps", "where they stand")]
    rows += [
        (
            one.run or "?",
            f"{one.began:%Y-%m-%d %H:%M}" if one.began else "?",
            _took(one.took),
            one.outcome or "?",
            _counted(one),
            one.fault or one.states or "where they stood before",
        )
        for one in runs
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5])).rstrip()
        for row in rows
    )


def _counted(one: PastRun) -> str:
    parts = (
        f"{one.steps}",
        f"{one.undone} undone" * bool(one.undone),
        f"{one.failed} failed" * bool(one.failed),
    )
    return ", ".join(filter(None, parts))


def _took(took: timedelta) -> str:
    seconds = round(took.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    minutes, hours = seconds // 60, seconds / 3600
    return f"{minutes} min" if minutes < 120 else f"{hours:.1f} h"


def as_json(runs: Sequence[PastRun]) -> str:
    """Return them as one line of JSON."""
    return json.dumps({"format": FORMAT, "runs": [_fields(one) for one in runs]})


def _fields(one: PastRun) -> dict[str, object]:
    return {
        "run": one.run or None,
        "file": shown(str(one.file), quote="", limit=4096),
        "migration": one.migration or None,
        "began": one.began.isoformat() if one.began else None,
        "last": one.last.isoformat() if one.last else None,
        "took_s": round(one.took.total_seconds(), 1),
        "outcome": one.outcome or None,
        "processes": one.processes,
        "steps": one.steps,
        "undone": one.undone,
        "failed": one.failed,
        "fault": one.fault or None,
    }
