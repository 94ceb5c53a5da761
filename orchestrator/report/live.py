"""Telling what happens while it happens: lines for people on a terminal, JSON lines otherwise."""

import logging
import sys
from collections.abc import Callable
from typing import TextIO

import structlog

from orchestrator.engine.events import Event, StepFailed, Waiting

# What the state file needs and a reader of lines does not.
_NOT_TOLD = {"at", "event", "facts", "operations", "runbook", "format"}


def configure(stream: TextIO = sys.stderr, *, people: bool, colors: bool) -> None:
    """Set structlog up once: ``people`` chooses readable lines, otherwise one JSON object a line."""
    for_people: tuple[structlog.typing.Processor, ...] = (
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        # tracebacks with local variables could show a key: only the plain ones
        structlog.dev.ConsoleRenderer(
            colors=colors, pad_event_to=16, exception_formatter=structlog.dev.plain_traceback
        ),
    )
    for_machines: tuple[structlog.typing.Processor, ...] = (
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    )
    structlog.configure(
        processors=[structlog.processors.add_log_level, *(for_people if people else for_machines)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )


def narrator() -> Callable[[Event], None]:
    """Return a function that tells each event; the same reasons for waiting are told once."""
    log = structlog.get_logger()
    told: list[tuple[str, ...]] = []

    def narrate(event: Event) -> None:
        fields = {
            name: value
            for name, value in event.model_dump(mode="json").items()
            if name not in _NOT_TOLD and value not in (None, "", False)
        }
        if isinstance(event, Waiting):
            if told and told[-1] == event.reasons:
                return
            told[:] = [event.reasons]
            log.info("waiting", reasons="; ".join(event.reasons))
        elif isinstance(event, StepFailed):
            log.error(event.event, **fields)
        else:
            told.clear()
            log.info(event.event, **fields)

    return narrate
