"""A review in Markdown: the body of a change ticket, with every operation and its diff folded away."""

import re
from collections.abc import Iterable

from orchestrator.report.review import wording
from orchestrator.report.review.model import Action, Review, ReviewedJob, ReviewedRound
from orchestrator.text import counted, escaped

_MEANT = re.compile(r"([\\`*_{}\[\]<>#|~])")


def rendered(review: Review) -> str:
    """Return the review; whatever comes from a host or a plan is shown as it is, and means nothing here."""
    return "\n".join(_lines(review)) + "\n"


def plain(text: str) -> str:
    """Return a text that means nothing but itself, on one line."""
    return _MEANT.sub(r"\\\1", escaped(text, keep=""))


def code(text: str) -> str:
    """Return a text as code within a line."""
    shown = escaped(text, keep="")
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", shown)), default=0) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


def fenced(lines: Iterable[str], language: str = "") -> Iterable[str]:
    """Yield lines as a block of code that none of them can end."""
    shown = [escaped(line, keep="\t") for line in lines]
    longest = max((len(run) for line in shown for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{language}"
    yield from shown
    yield fence


def _lines(review: Review) -> Iterable[str]:
    yield f"# {plain(wording.heading(review))}"
    yield ""
    for note in review.notes:
        yield f"- **{note.label}:** {plain(note.text)}"
    for assumption in review.assumed:
        yield f"- **ASSUMED:** {plain(assumption)}"
    if review.notes or review.assumed:
        yield ""
    yield from _summary(review)
    if review.restarts:
        yield "## Restarts"
        yield ""
        for number, one in enumerate(review.restarts, start=1):
            yield f"{number}. {plain(wording.radius(one))}"
        yield ""
    if review.settings:
        yield from _settings(review)
    for round_ in review.rounds:
        yield from _round(round_)
    if not review.jobs:
        yield "Nothing to do: every host stands where this way ends."


def _summary(review: Review) -> Iterable[str]:
    for way in wording.ways(review):
        yield f"- {plain(', '.join(way.hosts))}: from {code(way.source)} to {code(way.target)}."
    yield from (f"- {plain(source)}" for source in review.sources)
    for topic, sentences in wording.summary(review):
        yield f"- **{topic}:** {plain(' '.join(sentences))}"
    yield f"- Runbook {code(review.runbook)}. Before and after every step: {plain(', '.join(review.always))}."
    yield f"- Without certificates and IDs, as in a rehearsal: {code(review.outline)}."
    yield ""


def _settings(review: Review) -> Iterable[str]:
    yield f"## {wording.settings_heading(review)}"
    yield ""
    yield "| setting | round | old | new | hosts |"
    yield "|---|---|---|---|---|"
    for setting, others in wording.settings(review):
        hosts = "; ".join(filter(None, (setting.host, wording.also(others))))
        for change in setting.changes:
            cells = (code(wording.value(each)).replace("|", "\\|") for each in (change.before, change.after))
            yield f"| {code(setting.name)} | {change.round} | {' | '.join(cells)} | {plain(hosts)} |"
    yield ""


def _round(one: ReviewedRound) -> Iterable[str]:
    order = f", {one.order}" if one.order else ""
    yield f"## Round {one.name}: {one.source} to {one.target}{order}"
    yield ""
    if one.first:
        yield f"{plain(wording.waits_first(one))}."
        yield ""
    for job in one.jobs:
        yield from _job(job, one)


def _job(job: ReviewedJob, round_: ReviewedRound) -> Iterable[str]:
    yield f"### {job.number}. {plain(wording.title(job, round_.name))}"
    yield ""
    if job.same:
        yield f"{plain(wording.folded(job.same))}."
        yield ""
    else:
        yield f"<details><summary>{counted(len(job.actions), 'operation')}</summary>"
        yield ""
        for action in job.actions:
            yield from _action(action)
        yield "</details>"
        yield ""
    if job.gates:
        yield f"{plain(wording.waits(job, round_.target))}."
        yield ""


def _action(action: Action) -> Iterable[str]:
    yield f"- {code(action.line)}{' (assumed)' if action.is_assumed else ''}"
    yield ""
    if action.content:
        yield from fenced(action.content, "diff")
        yield ""
