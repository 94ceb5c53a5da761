"""What happens in a run as lines of JSON: the state file's events, and what is waited for between them."""

import json
import logging
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from orchestrator.engine.events import Event, Name, RunId
from orchestrator.plan.model import Frozen
from orchestrator.report.reasons import Reasons
from orchestrator.report.view import View

FORMAT: Literal[1] = 1  # of these lines; a reader refuses another number


class EventLine(Frozen):
    """One event. ``run`` and ``cluster`` say whose it is; without them no run has begun yet."""

    format: Literal[1] = FORMAT
    cluster: Name
    run: RunId | None
    event: Annotated[Event, Field(discriminator="event")]


class LeftOut(Frozen):
    """In the place of so many lines that nobody read in time; the state file has them."""

    format: Literal[1] = FORMAT
    lines_left_out: int


LINE: TypeAdapter[EventLine | LeftOut] = TypeAdapter(EventLine | LeftOut)
LEFT_OUT = b'{"format":%d,"lines_left_out":%%d}\n' % FORMAT


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a line."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of --output json",
        **LINE.json_schema(mode="serialization"),
    }


class Lines:
    """Makes lines of a run's events; the same reasons for waiting make one line.

    ``past`` is asked whose run it is.
    """

    def __init__(self, cluster: str, past: Callable[[], View | None]) -> None:
        self._cluster, self._past = cluster, past
        self._reasons, self._run = Reasons(), ""

    def of(self, event: Event) -> EventLine | None:
        """Return an event's line; None if it says nothing new."""
        if not self._run and (view := self._past()):
            self._run = view.course.opened.run
        if not self._reasons.are_news(event):
            return None
        return EventLine(cluster=self._cluster, run=self._run or None, event=event)


def text(line: EventLine) -> str:
    """Return a line as it is printed."""
    return _json(line.model_dump(mode="json"), str)


def printer(
    write: Callable[[str], object], cluster: str, past: Callable[[], View | None]
) -> Callable[[Event], None]:
    """Return what writes an event as a line."""
    import structlog  # noqa: PLC0415 -- it brings rich along, which only who wants lines shall wait for

    lines = Lines(cluster, past)
    log = structlog.wrap_logger(
        _Written(write),
        processors=[structlog.processors.JSONRenderer(serializer=_json)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        context_class=dict,
    )

    def take(event: Event) -> None:
        if line := lines.of(event):
            log.info(**line.model_dump(mode="json"))

    return take


class _Written:
    """Writes what the last processor returns."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self.info = write


def _json(fields: object, default: Callable[[object], object]) -> str:
    """Return one line in ASCII, without the one control character that JSON leaves as it is."""
    return json.dumps(fields, default=default).replace("\x7f", "\\u007f")
