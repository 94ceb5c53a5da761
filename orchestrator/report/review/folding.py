"""Folding: whether two hosts' jobs do the same but for values of each host's own, and which these are."""

import re
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.host.operations import EditFile, Operation, ReplaceFile, Write
from orchestrator.remote.job_script import render
from orchestrator.report.review.model import Action
from orchestrator.runbook.model import holds_material

Values = Mapping[str, str]  # of one host, by what they are: its name, its address
_PIECE = re.compile(r"[^\s\"'(),;=]+")
_DIGEST_CHARS = 12


def same(one: Sequence[Action], other: Sequence[Action], values: Values, others: Values) -> Values | None:
    """Return the values of its own with which ``other`` does what ``one`` does; None if it does not.

    Every piece of text has to be equal, or equal once each host's own values are put in its place. A
    certificate's content, and that of a file that is somebody else's, is named by its digest.
    """
    if len(one) != len(other):
        return None
    found: dict[str, str] = {}
    for left, right in zip(one, other, strict=True):
        if type(left.operation) is not type(right.operation) or left.is_assumed != right.is_assumed:
            return None
        differing = equal(_said(left), _said(right), values, others)
        if differing is None:
            return None
        found |= {**differing, **_digests(left.operation, right.operation)}
    return found


def equal(one: Iterable[str], other: Iterable[str], values: Values, others: Values) -> Values | None:
    """Compare texts piece by piece; return the other's own values that stand where they differ, or None."""
    left, right = "\n".join(one), "\n".join(other)
    if _PIECE.sub("", left) != _PIECE.sub("", right):
        return None
    found: dict[str, str] = {}
    for mine, theirs in zip(_PIECE.findall(left), _PIECE.findall(right), strict=True):
        if mine != theirs:
            used = _put(mine, values, others)
            if used is None or used[0] != theirs:
                return None
            found |= {name: others[name] for name in used[1]}
    return found


def _put(text: str, values: Values, others: Values) -> tuple[str, tuple[str, ...]] | None:
    """Put the other host's values in the place of one's own; return which they were, too."""
    named = {value: name for name, value in values.items() if value and others.get(name)}
    if not named:
        return None
    longest = sorted(map(re.escape, named), key=len, reverse=True)
    own = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(longest)})(?![A-Za-z0-9])")
    used = tuple(dict.fromkeys(named[value] for value in own.findall(text)))
    return own.sub(lambda match: others[named[match[0]]], text), used


def _said(action: Action) -> Iterable[str]:
    """Return all that an operation says; a digest says nothing where its text is there."""
    operation = action.operation
    match operation:
        case Write():
            yield f"{operation.path} {operation.mode:04o} {operation.owner}:{operation.group}"
            yield "certificate" if holds_material(operation) else operation.text
        case EditFile() | ReplaceFile():
            yield operation.path
        case _:
            yield render(operation)
    yield from action.content


def _digests(one: Operation, other: Operation) -> Values:
    if isinstance(other, Write) and holds_material(other) and isinstance(one, Write):
        digest = "" if one.sha256 == other.sha256 else other.sha256
    elif isinstance(other, EditFile | ReplaceFile) and isinstance(one, EditFile | ReplaceFile):
        digest = "" if (one.before, one.after) == (other.before, other.after) else other.after
    else:
        return {}
    return {f"sha256 of {other.path}": f"{digest[:_DIGEST_CHARS]}…"} if digest else {}
