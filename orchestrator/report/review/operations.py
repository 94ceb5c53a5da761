"""An operation as people read it: a line, and what of a file's content differs; never a secret."""

import difflib
from collections.abc import Iterable, Mapping

from orchestrator.etcd.install import secret_values
from orchestrator.host.operations import EditFile, Operation, Remove, ReplaceFile, Write
from orchestrator.remote.job_script import render
from orchestrator.report.review.model import Action
from orchestrator.runbook.model import holds_material
from orchestrator.text import escaped


def operation_lines(operation: Operation) -> Iterable[str]:
    """Tell an operation, and a file's content where it is for people to read."""
    yield render(operation)
    if isinstance(operation, Write) and not holds_material(operation):  # nobody reads base64
        yield from (f"  | {line}" for line in operation.text.splitlines() if line)
    yield from (f"  | {line}" for line in _edited(operation))


def action(operation: Operation, known: Mapping[str, str]) -> Action:
    """Return an operation as a review shows it; ``known`` are texts that lie on its host by then, by path."""
    content = tuple(_edited(operation))
    if isinstance(operation, Write) and not holds_material(operation):
        content = tuple(_differing(known.get(operation.path, ""), operation.text))
    if isinstance(operation, Remove) and operation.path in known:
        content = tuple(_differing(known[operation.path], ""))
    return Action(operation, render(operation), content)


def after(operation: Operation, known: Mapping[str, str]) -> Mapping[str, str]:
    """Return the texts that lie on a host once the operation is done; never a key's."""
    if isinstance(operation, Write) and not holds_material(operation):
        return {**known, operation.path: operation.text}
    if isinstance(operation, Remove | Write):
        return {path: text for path, text in known.items() if path != operation.path}
    return known


def _edited(operation: Operation) -> Iterable[str]:
    if isinstance(operation, EditFile):
        for one in operation.edits:
            yield f"line {one.line}:"
            for sign, text in (("-", one.old), ("+", one.new)):
                yield from (f"{sign} {escaped(line)}" for line in text.splitlines() if line)
    if isinstance(operation, ReplaceFile):
        yield from map(escaped, operation.differs)


def _differing(before: str, behind: str) -> Iterable[str]:
    """Compare two texts line by line, with one line around what differs; what may be secret is left out."""
    old, new = (secret_values.without(text)[0].splitlines() for text in (before, behind))
    found = list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]
    if not found and before != behind:
        yield "(only values differ that may be secret, and are not shown)"
    is_whole = not before or not behind
    for line in found:
        if line.startswith("@@"):
            if not is_whole:
                yield line
        elif line[1:]:
            yield f"{line[0]} {line[1:]}"
