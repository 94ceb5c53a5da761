"""An approved review: the file that binds a run to what was reviewed, and what has moved since."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from orchestrator import __version__
from orchestrator.engine import disk
from orchestrator.engine.events import Digest, Direction, Name, OneLine, Word, now
from orchestrator.errors import RefusedError
from orchestrator.etcd.install import secret_values
from orchestrator.plan.facts import Facts
from orchestrator.plan.foreign import fault
from orchestrator.plan.locations import read_plain
from orchestrator.plan.model import Cluster, Frozen
from orchestrator.runbook.model import Runbook
from orchestrator.text import shown

FORMAT: Literal[1] = 1
_MARK = b'"kind": "approval"'  # in the beginning of each
_MOST_BYTES = 1 << 20  # of a certificate, a key or a client's file
Value = Annotated[str, Field(max_length=65536)]


class Approval(Frozen):
    """What was reviewed: the plan's fields, the facts, the digests of the plan's files, and the runbook's.

    ``states`` says where each host stood that had begun, ``canary`` who takes each round first. ``digest``
    is of all the rest as it was written, in hex.
    """

    format: Literal[1] = FORMAT
    kind: Literal["approval"] = "approval"
    tool: OneLine = __version__
    at: AwareDatetime = Field(default_factory=now)
    direction: Direction
    cluster: Name
    migration: Word
    runbook: Digest
    plan: Mapping[str, Value]
    files: Mapping[str, Digest]
    facts: Facts
    states: Mapping[Name, Word] = {}
    canary: Name | None = None
    digest: str = ""


def make(
    cluster: Cluster,
    facts: Facts,
    runbook: Runbook,
    states: Mapping[str, str],
    direction: Direction,
    canary: str | None,
) -> Approval:
    """Return the approval of a runbook, under the plan and the facts that it was compiled of."""
    return Approval(
        direction=direction,
        cluster=cluster.name,
        migration=runbook.migration,
        runbook=runbook.digest,
        plan=fields_of(cluster),
        files=files_of(cluster),
        facts=facts,
        states=states,
        canary=canary,
    )


def write(path: Path, approval: Approval) -> None:
    """Write it for its owner alone, whole or not at all; RefusedError if that cannot be.

    UsageError if another file is there.
    """
    said = approval.model_dump(mode="json")
    written = json.dumps({**said, "digest": _digest(said)}, indent=2)
    try:
        disk.write_own(path, written.encode() + b"\n", _MARK)
    except OSError as error:
        raise RefusedError(f"nothing was changed: {path}: {error.strerror}") from error


def read(path: Path) -> Approval:
    """Read one; RefusedError for a file that is none, of another format, or changed since it was written."""
    try:
        content = read_plain(path, disk.LARGEST_BYTES)
        approval = Approval.model_validate_json(content)
    except OSError as error:
        raise RefusedError(f"nothing was changed: {path}: {error.strerror}") from error
    except ValidationError as error:
        reason = shown(fault(error), quote="", limit=300)
        raise RefusedError(
            f"nothing was changed: {path} is no approved review of format {FORMAT}: {reason}"
        ) from error
    if approval.digest != _digest(json.loads(content)):
        raise RefusedError(
            f"nothing was changed: {path} was edited since it was written (its digest does not fit)"
        )
    return approval


def _digest(said: Mapping[str, object]) -> str:
    """SHA-256 over all that a file says: a field that its version did not have is no edit."""
    rest = {name: value for name, value in said.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def of_plan(approval: Approval, cluster: Cluster) -> Iterable[str]:
    """Name the plan's fields and files that are not as they were reviewed."""
    yield from _moved("plan: ", approval.plan, fields_of(cluster))
    for path, digest in files_of(cluster).items():
        if approval.files.get(path) != digest:
            yield f"certificate or file of the plan: {path}: its content is another"


def of_order(approval: Approval, canary: str | None) -> Iterable[str]:
    """Name the canary, if it is not the one behind which the others were reviewed."""
    if canary != approval.canary:
        yield f"--canary: was {_value(approval.canary)}, is {_value(canary)}"


def of_facts(approval: Approval, facts: Facts, states: Mapping[str, str]) -> Iterable[str]:
    """Name the facts of hosts that are not as they were reviewed."""
    yield from _moved("host fact: ", fields_of(approval.facts), fields_of(facts))
    for host in dict.fromkeys((*approval.states, *states)):
        was, now_in = approval.states.get(host, "its first state"), states.get(host, "its first state")
        if was != now_in:
            yield f"host: {host} stood in {was}, and stands in {now_in}"


def fields_of(model: BaseModel) -> Mapping[str, str]:
    """Return every field that holds a value, by its path; without what may be secret."""
    return dict(_fields("", model.model_dump(mode="json")))


def files_of(cluster: Cluster) -> Mapping[str, str]:
    """Return the SHA-256 of every file that the plan has put or shown somewhere, by its path."""
    tls = cluster.tls
    paths = [tls.ca, tls.client_certificate, tls.client_key]
    paths += [path for host in cluster.etcd_hosts for path in (host.certificate, host.key)]
    paths += [
        file.content_for(host.name)
        for host in cluster.hosts
        for unit in cluster.clients.units_on(host.name)
        for file in unit.files
    ]
    return {str(path): _sha256(path) for path in dict.fromkeys(filter(None, paths))}


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(read_plain(path, _MOST_BYTES + 1)).hexdigest()
    except OSError as error:
        raise RefusedError(f"nothing was changed: {path}: {error.strerror}") from error


def _fields(place: str, value: object) -> Iterable[tuple[str, str]]:
    """Walk through plain data; what has a name stands under it, and not under its number."""
    match value:
        case dict():
            for key, held in value.items():
                yield from _fields(f"{place}.{key}" if place else str(key), held)
        case list():
            for number, held in enumerate(value):
                name = held.get("name", number) if isinstance(held, dict) else number
                yield from _fields(f"{place}.{name}", held)
        case None:
            return
        case _:
            yield place, secret_values.without(value if isinstance(value, str) else json.dumps(value))[0]


def _moved(kind: str, then: Mapping[str, str], is_now: Mapping[str, str]) -> Iterable[str]:
    for place in dict.fromkeys((*then, *is_now)):
        was, found = then.get(place), is_now.get(place)
        if was != found:
            yield f"{kind}{place}: was {_value(was)}, is {_value(found)}"


def _value(text: str | None) -> str:
    return "not there" if text is None else shown(text, quote="", limit=160)
