"""The timeline: hosts from top to bottom, time from left to right, each step with its job and its waits."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from xml.etree.ElementTree import Element

from markupsafe import Markup

from orchestrator.engine.events import Span
from orchestrator.report.html import svg
from orchestrator.report.html.scale import Stretch, stretches
from orchestrator.report.html.seconds import ended, is_of
from orchestrator.report.html.story import Bar, Process, Story
from orchestrator.report.html.wording import WAITS, clock, duration

WIDTH, LABELS, EDGE = 1000.0, 104.0, 14.0
HEAD, ROW, THICK = 44.0, 30.0, 16.0
_KINDS = {"failed": "failed", "in doubt": "doubt"}  # of a bar, by its ending
_LETTER = 6.6  # the width of a letter of a label
_LONGEST_NAME = 14  # letters of a host's name beside its row
LEGEND = {
    "restart": "job that restarts its member",
    "job": "job without a restart",
    "look": "looking",
    "gates": "waits for its own gates",
    "members": "waits for other members",
    "outside": "waits for clients",
    "leader": "waits for a leader",
    "failed": "failed",
    "doubt": "in doubt",
}
RUN = "the run"  # the row of what no host alone was waited for


def draw(story: Story, restarting: Collection[str]) -> Markup:
    """Draw a story; ``restarting`` are the steps, by their ids, that take their host away."""
    rows = (RUN, *story.hosts)
    bottom = HEAD + ROW * len(rows)
    said = (
        f"{len(story.hosts)} hosts over time. Rounds are marked at the top, each step is a bar beside its "
        "host's name, with its job and its waits. The tables below say the same in words."
    )
    drawing = svg.drawing("gantt", (WIDTH, bottom + 44), "Timeline of the run", said)
    along = stretches(story.processes, LABELS, WIDTH - LABELS - EDGE)
    _bands(drawing, along, bottom)
    for number, name in enumerate(rows):
        y = HEAD + ROW * number
        short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
        label = svg.put(drawing, "text", short, kind="name", x=LABELS - 10, y=y + ROW / 2 + 4)
        label.set("text-anchor", "end")
        svg.put(drawing, "line", kind="grid", x1=LABELS, x2=WIDTH - EDGE, y1=y + ROW, y2=y + ROW)
    for stretch in along:
        _axis(drawing, stretch, bottom)
        for bar in stretch.process.bars:
            _bar(drawing, stretch, bar, HEAD + ROW * rows.index(bar.host), is_restart=bar.step in restarting)
        for span in stretch.process.spans:
            y = HEAD + ROW * rows.index(span.host if span.host in story.hosts else RUN)
            if span.kind == "job":
                _job(drawing, stretch, span, y, restarting)
            elif span.kind != "cut-off":
                _wait(drawing, stretch, span, y)
    for before, after in pairwise(along):
        _pause(drawing, before, after, bottom)
    return svg.markup(drawing)


def legend(story: Story) -> Mapping[str, str]:
    """Return what the colours of a timeline mean: of jobs always, of the others where they are seen."""
    spans = {span.kind for process in story.processes for span in process.spans}
    ends = {_KINDS.get(bar.ending, "look") for process in story.processes for bar in process.bars}
    seen = {"restart", "job", *spans, *ends}
    return {kind: meaning for kind, meaning in LEGEND.items() if kind in seen}


def _bar(drawing: Element, stretch: Stretch, bar: Bar, y: float, *, is_restart: bool) -> None:
    left, right = stretch.x(bar.began), stretch.x(bar.ended)
    top = y + (ROW - THICK) / 2
    took = duration((bar.ended - bar.began).total_seconds())
    what = "restarts the member" if is_restart else "no restart"
    said = f"{bar.step}: {bar.ending}, {took} from {clock(bar.began)} on; {what}"
    kind = _KINDS.get(bar.ending, "look")
    svg.box(drawing, f"bar {kind}", (left, top, max(right - left, 2.0), THICK), said)


def _job(drawing: Element, stretch: Stretch, span: Span, y: float, restarting: Collection[str]) -> None:
    """Draw a job in the bar of its step; one before its step's beginning was a handover."""
    bar = next((bar for bar in stretch.process.bars if is_of(span, bar)), None)
    is_restart = bar is not None and bar.step in restarting
    left, right = stretch.x(span.at), stretch.x(ended(span))
    what = "restarts the member" if is_restart else "no restart"
    said = f"{bar.step if bar else 'handover'}: job on {span.host}, {duration(span.took_s)}; {what}"
    kind = "restart" if is_restart else "job"
    place = (left, y + (ROW - THICK) / 2, max(right - left, 1.5), THICK)
    svg.box(drawing, f"span {kind}", place, said)


def _wait(drawing: Element, stretch: Stretch, span: Span, y: float) -> None:
    left, right = stretch.x(span.at), stretch.x(ended(span))
    said = f"{WAITS[span.kind]}, {duration(span.took_s)}: {'; '.join(span.reasons)}"
    place = (left, y + (ROW - THICK) / 2 + 3, max(right - left, 2.5), THICK - 6)
    svg.box(drawing, f"span {span.kind}", place, said)


def _bands(drawing: Element, along: tuple[Stretch, ...], bottom: float) -> None:
    """Mark the rounds, every second one with a tint; a name that has no room is left to the tables."""
    filled = [LABELS, LABELS]  # how far to the right each of two lines of names is taken
    bands = [(stretch, *band) for stretch in along for band in _rounds(stretch.process)]
    for number, (stretch, name, began, end) in enumerate(bands):
        left, right = stretch.x(began), stretch.x(end)
        kind = "band odd" if number % 2 else "band"
        svg.box(drawing, kind, (left, HEAD - 6, right - left, bottom - HEAD + 6), name)
        line = next((n for n, taken in enumerate(filled) if taken <= left), None)
        if line is not None and left + len(name) * _LETTER <= WIDTH:
            svg.put(drawing, "text", name, kind="round", x=left + 2, y=14 + 15 * line)
            svg.put(drawing, "line", kind="mark", x1=left, x2=left, y1=6 + 15 * line, y2=HEAD - 6)
            filled[line] = left + len(name) * _LETTER + 8


def _rounds(process: Process) -> Iterator[tuple[str, datetime, datetime]]:
    rounds = process.rounds
    for number, event in enumerate(rounds):
        end = rounds[number + 1].at if number + 1 < len(rounds) else process.ended
        yield event.round, event.at, end


def _axis(drawing: Element, stretch: Stretch, bottom: float) -> None:
    for x, after_s in stretch.ticks():
        svg.put(drawing, "line", kind="tick", x1=x, x2=x, y1=bottom, y2=bottom + 5)
        label = svg.put(drawing, "text", _after(after_s), kind="time", x=x, y=bottom + 18)
        label.set("text-anchor", "middle")
    svg.put(drawing, "text", clock(stretch.process.began), kind="clock", x=stretch.left, y=bottom + 36)


def _after(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _pause(drawing: Element, before: Stretch, after: Stretch, bottom: float) -> None:
    left, right = before.right + 6, after.left - 6
    length = duration(max((after.process.began - before.process.ended).total_seconds(), 0.0))
    said = f"nobody worked on it for {length}"
    svg.box(drawing, "pause", (left, HEAD - 6, right - left, bottom - HEAD + 6), said)
    x, y = (left + right) / 2, (HEAD + bottom) / 2
    label = svg.put(drawing, "text", length, kind="away", x=x, y=y, transform=f"rotate(-90 {x:.1f} {y:.1f})")
    label.set("text-anchor", "middle")
