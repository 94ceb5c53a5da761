"""A review for a person at a terminal: a summary of a screen first, then settings, then every job."""

from collections.abc import Iterable

from orchestrator.output import Part, Style, Styled
from orchestrator.report.review import wording
from orchestrator.report.review.model import Action, Review, ReviewedJob, ReviewedRound, Setting

_LONG = 40  # lines of a file that is none of etcd's: the program's own scripts
_STYLES: dict[str, Style] = {"+": "green", "-": "red", "@": "cyan"}
_INDENT = "       "


def parts(review: Review, *, verbose: bool = False) -> tuple[Part, ...]:
    """Return the text in parts, for output.py; ``verbose`` adds gates, and long scripts in full."""
    return tuple(part for line in _lines(review, verbose=verbose) for part in (*line, "\n"))[:-1]


def summary(review: Review) -> tuple[Part, ...]:
    """Return what a person reads first, alone."""
    return tuple(part for line in _first(review) for part in (*line, "\n"))[:-1]


def _first(review: Review) -> Iterable[tuple[Part, ...]]:
    """Return the lines of the summary: who loses what stands before everything else."""
    for note in review.notes:
        yield (Styled(f"{note.label}: ", "yellow"), note.text)
    if review.notes:
        yield ()
    for assumption in review.assumed:
        yield (Styled("ASSUMED: ", "yellow"), assumption)
    if review.assumed:
        yield ()
    yield from _summary(review)
    if review.restarts:
        yield ()
        yield from ((f"  {wording.radius(one)}",) for one in review.restarts)


def _lines(review: Review, *, verbose: bool) -> Iterable[tuple[Part, ...]]:
    yield from _first(review)
    if review.settings:
        yield ()
        yield (Styled(wording.settings_heading(review), "bright"),)
        for setting, others in wording.settings(review):
            yield from _setting(setting, wording.also(others))
    for round_ in review.rounds:
        yield ()
        order = f", {round_.order}" if round_.order else ""
        yield (Styled(f"Round {round_.name}: {round_.source} -> {round_.target}{order}", "bright"),)
        if verbose and round_.first:
            yield (f"  {wording.waits_first(round_)}",)
        for job in round_.jobs:
            yield ()
            yield from _job(job, round_, verbose=verbose)
    if not review.jobs:
        yield ()
        yield ("Nothing to do: every host stands where this way ends.",)


def _summary(review: Review) -> Iterable[tuple[Part, ...]]:
    yield (Styled(wording.heading(review), "bright"),)
    for way in wording.ways(review):
        yield (f"{', '.join(way.hosts)}: from {way.source} to {way.target}.",)
    yield from ((source,) for source in review.sources)
    for topic, sentences in wording.summary(review):
        for number, sentence in enumerate(sentences):
            yield (Styled(f"  {topic if not number else '':<18}", "cyan"), sentence)
    if review.jobs:
        yield ()
    always = ", ".join(review.always)
    yield (f"Runbook {review.runbook[:12]}. Before and after every step: {always}.",)
    yield (f"Without certificates and IDs, as in a rehearsal: runbook {review.outline[:12]}.",)


def _setting(setting: Setting, also: str) -> Iterable[tuple[Part, ...]]:
    yield (f"  {setting.name} on {setting.host}" + (f"; {also}" if also else ""),)
    for change in setting.changes:
        yield ("    ", Styled(f"- {wording.value(change.before)}", "red"))
        yield ("    ", Styled(f"+ {wording.value(change.after)}", "green"), f"  ({change.round})")


def _job(job: ReviewedJob, round_: ReviewedRound, *, verbose: bool) -> Iterable[tuple[Part, ...]]:
    yield (f"  {job.number}. {wording.title(job, round_.name)}",)
    if job.same:
        yield (f"{_INDENT}{wording.folded(job.same)}",)
    else:
        for action in job.actions:
            yield from _action(action, verbose=verbose)
    if verbose and job.gates:
        yield (f"{_INDENT}{wording.waits(job, round_.target)}",)


def _action(action: Action, *, verbose: bool) -> Iterable[tuple[Part, ...]]:
    yield (f"{_INDENT}{action.line}{'  (assumed)' if action.is_assumed else ''}",)
    if len(action.content) > _LONG and not verbose:
        yield (f"{_INDENT}  | ({len(action.content)} lines: -v shows them)",)
        return
    for line in action.content:
        style = _STYLES.get(line[:1])
        yield (f"{_INDENT}  | ", Styled(line, style) if style else line)
