"""Where each second of a run went, by its state file's events and the spans between them; pure."""

from collections.abc import Iterator, Sequence

from orchestrator.engine.events import (
    HandedOver,
    Opened,
    Recorded,
    RoundBegan,
    RunEnded,
    Saved,
    Span,
    StepStarted,
    StepSucceeded,
    Walked,
)

Part = tuple[str, float]
START = "Python, plan, connecting, facts, checks, review"
SAVING = "locks, second look, snapshot"
END = "report, comparing the data, unlocking"
BEFORE, BEHIND, HANDOVER = "looks before it", "gates behind it", "handing over, and a look at who leads"


def of_run(events: Sequence[Recorded], began_at: float, wall_s: float) -> tuple[Part, ...]:
    """Return the parts of a run that came to its end, in their first order; together they are its time."""
    parts: dict[str, float] = {}
    for name, seconds in _parts(events, began_at, wall_s):
        parts[name] = parts.get(name, 0.0) + seconds
    return tuple((name, round(seconds, 3)) for name, seconds in parts.items())


def _parts(events: Sequence[Recorded], began_at: float, wall_s: float) -> Iterator[Part]:
    spans = [span for event in events if isinstance(event, Walked) for span in event.spans]
    jobs = sorted((_began(span), _began(span) + span.took_s) for span in spans if span.kind == "job")
    last, round_, what, restarts = began_at, "", "", False
    for event in events:
        at = event.at.timestamp()
        if isinstance(event, RoundBegan):
            round_ = event.round
        name = what if isinstance(event, StepStarted | HandedOver | StepSucceeded | RunEnded) else ""
        if isinstance(event, Opened):
            yield START, at - last
        elif isinstance(event, Saved):
            yield SAVING, at - last
        else:
            in_jobs = _covered(jobs, last, at)
            if what == HANDOVER:
                job = f"{round_}: handing over"
            else:
                job = f"{round_}: jobs{' with a restart' if restarts else ''}"
            yield from ((job, in_jobs),) if in_jobs else ()
            yield f"{round_}: {name or BEFORE}" if round_ else SAVING, at - last - in_jobs
        what = (
            HANDOVER
            if isinstance(event, HandedOver)
            else BEHIND
            if isinstance(event, StepStarted)
            else BEFORE
        )
        restarts = isinstance(event, StepStarted) and event.restarts
        last = at
    yield END, began_at + wall_s - last


def _covered(spans: Sequence[tuple[float, float]], since: float, until: float) -> float:
    """Return how long of that time at least one span lasts."""
    covered, reached = 0.0, since
    for began, ended in spans:
        covered += max(0.0, min(ended, until) - max(began, reached))
        reached = max(reached, min(ended, until))
    return covered


def _began(span: Span) -> float:
    return span.at.timestamp()
