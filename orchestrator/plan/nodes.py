"""The YAML of a plan file: its tree of nodes, or the fault that hides all others."""

import re
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from orchestrator.errors import PlanInvalidError
from orchestrator.plan.faults import Fault, Place, where
from orchestrator.plan.locations import read_plain
from orchestrator.text import shown

TAG = "tag:yaml.org,2002:"

_SIZE_LIMIT_BYTES = 512 * 1024  # thousands of members; reading that takes about 2 s
_DEPTH_LIMIT = 20  # a plan nests 4 deep; a hostile file would exhaust the stack

_REFUSED = {
    "\0": "holds a character that YAML does not allow: remove it",  # the reader would take it for the end
    "(^|[\n\r\x85\u2028\u2029\ufeff])%": "directives (%YAML, %TAG) are not used in plans: remove the line",
}


def read(path: Path) -> MappingNode:
    """Return the mapping that a plan file holds, or raise PlanInvalidError if it holds none."""
    text = _text(path)
    root = _compose(path, text)
    if root is None or (isinstance(root, ScalarNode) and root.tag == TAG + "null"):
        raise _invalid(path, Place(1, 1), "is empty: docs/plan-file.md has an example to begin with")
    if not isinstance(root, MappingNode):
        raise _invalid(path, start(root), "is not a mapping: write fields, such as 'cluster: three-members'")
    anchored = _anchored(root)
    if anchored:
        raise PlanInvalidError(tuple(fault.text(path) for fault in sorted(anchored)))
    return root


def _text(path: Path) -> str:
    try:
        raw = read_plain(path, _SIZE_LIMIT_BYTES + 1)
    except (OSError, ValueError) as cause:  # ValueError: a path that no file system takes
        reason = cause.strerror if isinstance(cause, OSError) else cause
        raise _invalid(path, Place(1, 1), f"cannot be read: {reason}; check the path") from cause
    if len(raw) > _SIZE_LIMIT_BYTES:
        raise _invalid(path, Place(1, 1), f"is larger than {_SIZE_LIMIT_BYTES // 1024} KiB: name a plan file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        before = raw[: cause.start].decode("utf-8-sig", errors="replace")
        raise _invalid(path, _place_after(before), "is not UTF-8 text: save it as UTF-8") from cause
    for pattern, what in _REFUSED.items():
        if match := re.search(pattern, text):
            raise _invalid(path, _place_after(text[: match.end() - 1]), what)
    return text


def _invalid(path: Path, place: Place, what: str) -> PlanInvalidError:
    return PlanInvalidError((Fault(place, where(()), what).text(path),))


def start(node: Node) -> Place:
    """Return where a node begins."""
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _place_after(text: str) -> Place:
    lines = re.split(r"\r\n|\r|\n", text)
    return Place(len(lines), len(lines[-1]) + 1)


def _compose(path: Path, text: str) -> Node | None:
    """Return the tree of nodes, with their marks. Source: YAML 1.2, one document."""
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = _DEPTH_LIMIT
    yaml.composer.warn_double_anchors = False  # anchors are refused, with a place, by _anchored
    try:
        root: Node | None = yaml.compose(text)
    except MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise _invalid(path, place, f"is not valid YAML: {_problem(cause, text, place)}") from cause
    except ReaderError as cause:
        place = _place_after(text[: cause.position])
        raise _invalid(path, place, "holds a character that YAML does not allow: remove it") from cause
    except YAMLError as cause:
        words = shown(str(cause), quote="", limit=300)
        raise _invalid(path, Place(1, 1), f"is not valid YAML: {words}") from cause
    except (ValueError, OverflowError) as cause:  # chr() inside the reader
        raise _invalid(
            path, Place(1, 1), r"has an escape (\U...) that names no character: correct it"
        ) from cause
    return root


def _problem(cause: MarkedYAMLError, text: str, place: Place) -> str:
    """Return the reader's words for a syntax error in one line, with a fix."""
    words = ", ".join(part for part in (cause.context, cause.problem) if part)
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if "\t" in line[: place.column]:
        fix = "indent with spaces, not tabs"
    elif re.search(r":\s*\{name\}", text):
        fix = "put a path that begins with {name} in quotes"
    elif "single document" in words:
        fix = "keep one plan in a file, without '---' between"
    elif "maximum depth" in words:
        words, fix = "nested too deeply", "no plan needs that"
    else:
        fix = (
            "compare this line and the one before with docs/plan-file.md (indentation, ':', quotes, brackets)"
        )
    return f"{shown(words, quote='', limit=300)}; {fix}"


def _anchored(root: Node) -> list[Fault]:
    """Return a fault for every anchor and merge key. Shared nodes are visited once, so no bomb goes off."""
    seen: set[int] = set()
    waiting, faults = [root], []
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.anchor is not None:
            what = (
                f"anchors and aliases (&{shown(node.anchor, quote='')}) are not used in plans: write it out"
            )
            faults.append(Fault(start(node), where(()), what))
        if isinstance(node, MappingNode):
            waiting.extend(part for pair in node.value for part in pair)
            for key, _ in node.value:
                if key.tag == TAG + "merge":
                    what = "merge keys (<<) are not used in plans: write the fields out"
                    faults.append(Fault(start(key), where(()), what))
        elif isinstance(node, SequenceNode):
            waiting.extend(node.value)
    return faults
