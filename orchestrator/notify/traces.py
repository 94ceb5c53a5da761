"""A run as an OpenTelemetry trace, made of its events: processes, their rounds, steps, jobs and waits."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, StatusCode, Tracer, set_span_in_context

from orchestrator import __version__
from orchestrator.engine.events import Recorded, RoundBegan, Waiting
from orchestrator.engine.events import Span as Spent
from orchestrator.notify.channel import Notice, NotSentError
from orchestrator.report.html.story import Bar, Process, Story, tell

PREFIX = "etcd_orchestrator."
_DOING = {"forward": "run", "back": "rollback"}
_BAD = {"stopped", "gone", "failed", "in doubt"}
_LOG = logging.getLogger("opentelemetry")


class Traces:
    """Keeps the events of a process, and sends their trace once it is over."""

    name = "traces"
    is_sent_at_end = True

    def __init__(self) -> None:
        self._events: list[Recorded] = []

    def send(self, notice: Notice) -> None:
        """Keep an event; behind a run's header come those of this process alone."""
        if isinstance(notice.line.event, Waiting) or notice.view is None:
            return
        self._events = self._events or [notice.view.course.opened]
        if notice.line.event != self._events[0]:
            self._events.append(notice.line.event)

    def close(self) -> None:
        """Send the trace."""
        if len(self._events) > 1:
            send(tell(self._events))

    def stop(self) -> None:
        """Leave the connection to its own time limit: it holds nobody up."""


def send(story: Story) -> int:
    """Send all processes of a run where OpenTelemetry's environment says, and count spans; NotSentError."""
    spans = spans_of(story)
    with _reason() as reasons:
        exporter = OTLPSpanExporter()
        result = exporter.export(spans)
    if result is not SpanExportResult.SUCCESS:
        raise NotSentError(reasons[-1] if reasons else "nobody took them")
    return len(spans)


@contextmanager
def _reason() -> Iterator[list[str]]:
    """Keep what OpenTelemetry logs from the terminal: its last words are our reason."""
    words: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: words.append(record.getMessage())  # type: ignore[method-assign] # a list is all
    _LOG.addHandler(handler)
    before, _LOG.propagate = _LOG.propagate, False
    try:
        yield words
    finally:
        _LOG.removeHandler(handler)
        _LOG.propagate = before


def spans_of(story: Story) -> Sequence[ReadableSpan]:
    """Return every span: all processes of a run are in one trace."""
    kept = InMemorySpanExporter()
    opened = story.opened
    about = {
        "service.name": "etcd-orchestrator",
        "service.version": __version__,
        f"{PREFIX}cluster": opened.cluster,
        f"{PREFIX}migration": opened.migration,
        f"{PREFIX}run": opened.run,
    }
    provider = TracerProvider(resource=Resource.create(about), id_generator=_Ids(f"{opened.run} {opened.at}"))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    for process in story.processes:
        _Drawn(provider.get_tracer("etcd-orchestrator", __version__), process).draw()
    return kept.get_finished_spans()


class _Ids(RandomIdGenerator):
    """Gives every process of a run the same trace, whichever machine sends it, and whenever."""

    def __init__(self, run: str) -> None:
        self._trace = int.from_bytes(hashlib.sha256(run.encode()).digest()[:16], "big")

    def generate_trace_id(self) -> int:
        return self._trace


@dataclass(frozen=True)
class _Drawn:
    """Makes the spans of a process: whatever began within something else is below it."""

    tracer: Tracer
    process: Process
    rounds: list[tuple[RoundBegan, Span]] = field(default_factory=list)
    steps: list[tuple[Bar, Span]] = field(default_factory=list)

    def draw(self) -> None:
        """Make them all."""
        process = self.process
        run = self._span(_DOING[process.direction], None, process.began, {"outcome": process.outcome})
        if process.ending and process.ending.reason:
            run.set_attribute(f"{PREFIX}reason", process.ending.reason)
        self._rounds(run)
        for bar in process.bars:
            about: dict[str, str | int] = {
                "host": bar.host,
                "attempt": bar.attempt,
                "outcome": bar.ending,
                "reason": bar.reason,
            }
            span = self._span(bar.step, self._round_at(bar.began, run), bar.began, about)
            self.steps.append((bar, span))
        for spent in process.spans:
            self._spent(spent, run)
        for bar, span in self.steps:
            _end(span, bar.ended, bar.ending)
        for number, (_, span) in enumerate(self.rounds, start=1):
            is_last = number == len(self.rounds)
            _end(span, process.ended if is_last else self.rounds[number][0].at)
        _end(run, process.ended, process.outcome)

    def _rounds(self, run: Span) -> None:
        for event in self.process.rounds:
            about = {"round": event.round, "hosts": ", ".join(event.hosts), "order": event.order}
            self.rounds.append((event, self._span(f"round {event.round}", run, event.at, about)))

    def _spent(self, spent: Spent, run: Span) -> None:
        """Make the span of a job or a wait: below its host's step, else below the round."""
        below = self._round_at(spent.at, run)
        for bar, span in self.steps:
            if bar.began <= spent.at <= bar.ended and spent.host in {None, bar.host}:
                below = span
        about: dict[str, str | Sequence[str]] = {"host": spent.host or "", "reasons": spent.reasons}
        name = "job" if spent.kind == "job" else f"wait: {spent.kind}"
        span = self._span(name, below, spent.at, about)
        span.end(_ns(spent.at) + round(spent.took_s * 1e9))

    def _round_at(self, at: datetime, run: Span) -> Span:
        return next((span for event, span in reversed(self.rounds) if event.at <= at), run)

    def _span(
        self, name: str, below: Span | None, at: datetime, about: Mapping[str, str | int | Sequence[str]]
    ) -> Span:
        attributes = {f"{PREFIX}{key}": value for key, value in about.items() if value not in ("", ())}
        context = set_span_in_context(below) if below else None
        return self.tracer.start_span(name, context, start_time=_ns(at), attributes=attributes)


def _end(span: Span, at: datetime, ending: str = "") -> None:
    if ending in _BAD:
        span.set_status(StatusCode.ERROR, ending)
    span.end(_ns(at))


def _ns(at: datetime) -> int:
    return round(at.timestamp() * 1e6) * 1000
