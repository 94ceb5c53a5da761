"""Telling what happens while it happens: lines for people on a terminal, JSON lines otherwise."""

import json
import logging
import re
from collections.abc import Callable
from typing import NoReturn

import structlog

from orchestrator.engine.events import Event, StepFailed, Waiting
from orchestrator.output import Part, Style, Styled, err
from orchestrator.text import escaped

# What the state file needs and a reader of lines does not.
_NOT_TOLD = {"at", "event", "facts", "operations", "runbook", "format"}
_QUOTED = set(" \t=\r\n\"'")
_AMOUNT = re.compile(r"\b\d+ (?:s|m|h|d)\b")
_WIDTH = 16  # of an event's name


class _Lines:
    """Prints what the last processor returns, on standard error."""

    def info(self, *parts: Part) -> None:
        err(*parts)

    error = info


def configure(*, people: bool) -> None:
    """Set structlog up once: ``people`` chooses readable lines, otherwise one JSON object a line."""
    for_people: tuple[structlog.typing.Processor, ...] = (
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        _line,
    )
    for_machines: tuple[structlog.typing.Processor, ...] = (
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.JSONRenderer(serializer=_json),
    )
    structlog.configure(
        processors=[structlog.processors.add_log_level, *(for_people if people else for_machines)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )


def _line(
    _logger: object, _name: str, fields: structlog.typing.EventDict
) -> tuple[tuple[Part, ...], dict[str, NoReturn]]:
    """Return one event as the parts of one line."""
    moment, level, event = (str(fields.pop(name)) for name in ("timestamp", "level", "event"))
    style: Style = "red" if level == "error" else "green"
    parts: list[Part] = [Styled(moment, "dim"), " [", Styled(f"{level:<9}", style), "] "]
    parts.append(Styled(f"{event:<{_WIDTH}}" if fields else event, "bright"))
    for name in sorted(fields):
        parts += [" ", Styled(name, "cyan"), "=", Styled(_value(fields[name]), "magenta")]
    return tuple(parts), {}


def _value(value: object) -> str:
    """Write a value on one line, in quotes if its end could not be seen otherwise."""
    if not isinstance(value, str) or set(value) & _QUOTED:
        return repr(value)
    return escaped(value, keep="")


def _json(fields: object, default: Callable[[object], object]) -> str:
    """Return one line in ASCII, without the one control character that JSON leaves as it is."""
    return json.dumps(fields, default=default).replace("\x7f", "\\u007f")


def narrator() -> Callable[[Event], None]:
    """Return a function that reports each event; the same reasons for waiting are reported once."""
    log = structlog.get_logger()
    reported: list[tuple[str, ...]] = []

    def narrate(event: Event) -> None:
        fields = {
            name: value
            for name, value in event.model_dump(mode="json").items()
            if name not in _NOT_TOLD and value not in (None, "", False)
        }
        if isinstance(event, Waiting):
            told = tuple(_AMOUNT.sub("#", reason) for reason in event.reasons)  # "3 s ago" is no other reason
            if reported and reported[-1] == told:
                return
            reported[:] = [told]
            log.info("waiting", reasons="; ".join(event.reasons))
        elif isinstance(event, StepFailed):
            log.error(event.event, **fields)
        else:
            reported.clear()
            log.info(event.event, **fields)

    return narrate
