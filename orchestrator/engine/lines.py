"""A state file's lines: one event in JSON each, chained to the line before it by a checksum."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.engine.events import READABLE, RECORDED, Recorded
from orchestrator.engine.order import OutOfOrderError
from orchestrator.engine.progress import Progress
from orchestrator.errors import RefusedError
from orchestrator.plan.foreign import fault
from orchestrator.text import shown

# 64 bits: a change by accident goes unseen once in 2^64. It is no signature: anybody can make another.
_CHAIN = re.compile(rb'(\{.+),"chain":"([0-9a-f]{16})"\}', re.DOTALL)
_FIX = "nothing was changed: put the file back as it was, or move it away, then: orchestrator recover PLAN"
_LONGEST = 300  # of what a fault says, in characters


class _Header(BaseModel):
    """What the first line of every format says of itself."""

    model_config = ConfigDict(extra="ignore")

    event: Literal["opened"]
    format: int
    tool: str = "?"


@dataclass(frozen=True, slots=True)
class Content:
    """What a state file holds: ``chain`` is its last line's, ``sound_bytes`` how many hold whole lines.

    ``sha256`` is that of the whole file, and ``size_bytes`` its size.
    """

    events: tuple[Recorded, ...]
    progress: Progress
    chain: str
    sound_bytes: int
    sha256: str
    size_bytes: int


def line_of(event: Recorded, previous: str) -> tuple[bytes, str]:
    """Return an event's line, and its chain; ``previous`` is the chain of the line before it, if any."""
    body = event.model_dump_json().encode()
    chain = _chain(previous, body)
    return b'%s,"chain":"%s"}\n' % (body[:-1], chain.encode()), chain


def parse(path: Path, raw: bytes) -> Content:
    """Read what a state file holds; a last line without its newline is left out.

    Raises RefusedError that names the line which is no event, is not as it was written, or cannot come next.
    """
    sound_bytes = raw.rfind(b"\n") + 1
    lines = raw[:sound_bytes].split(b"\n")[:-1]
    if lines:
        _refuse_format(path, lines[0])
    events: list[Recorded] = []
    progress, chain = Progress(), ""
    for number, line in enumerate(lines, start=1):
        try:
            event, chain = _read(line, chain)
            progress = progress.after(event)
        except OutOfOrderError as error:
            raise RefusedError(f"{path}:{number}: {error}; {_FIX}") from error
        events.append(event)
    return Content(tuple(events), progress, chain, sound_bytes, hashlib.sha256(raw).hexdigest(), len(raw))


def _read(line: bytes, previous: str) -> tuple[Recorded, str]:
    """Return an event and its chain; raises OutOfOrderError."""
    chained = _CHAIN.fullmatch(line)
    body = chained[1] + b"}" if chained else line
    try:
        event = RECORDED.validate_json(body)
    except ValidationError as error:
        raise OutOfOrderError(f"not an event of a state file ({_said(error)})") from error
    chain = _chain(previous, body)
    if chained is None or chain != chained[2].decode():
        raise OutOfOrderError(
            "this line is not as it was written, or one before it is missing (its chain does not fit)"
        )
    return event, chain


def _refuse_format(path: Path, line: bytes) -> None:
    try:
        header = _Header.model_validate_json(line)
    except ValidationError:
        return  # no header at all, which reading it as an event tells
    if header.format not in READABLE:
        formats = " and ".join(map(str, sorted(READABLE)))
        raise RefusedError(
            f"{path}:1: has format {header.format} and was written by orchestrator "
            f"{shown(header.tool, quote='')}; this version reads the formats {formats}. Nothing was changed: "
            "go on with the version that wrote it, or move the file away once its run is over"
        )


def _chain(previous: str, body: bytes) -> str:
    return hashlib.sha256(previous.encode() + body).hexdigest()[:16]


def _said(error: ValidationError) -> str:
    return shown(fault(error), quote="", limit=_LONGEST)
