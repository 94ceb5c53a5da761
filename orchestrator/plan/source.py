"""The plan file as written: its values, and the line and column of each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestrator.plan import nodes
from orchestrator.plan.faults import Fault, Loc, Place, where
from orchestrator.plan.nodes import TAG, start
from orchestrator.text import shown

Data: TypeAlias = "str | int | float | bool | Mapping[str, Data] | tuple[Data, ...] | None"

_MOST_DIGITS = 300  # so many that one with a fraction takes as well


@dataclass(frozen=True, slots=True)
class Source:
    """What a plan file says. ``found`` describes each value in words; ``keys`` and ``values`` place it.

    ``faults`` are those of the YAML itself, and ``unread`` are the values that could not be read.
    """

    data: Data = None
    values: dict[Loc, Place] = field(default_factory=dict)
    keys: dict[Loc, Place] = field(default_factory=dict)
    found: dict[Loc, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unread: set[Loc] = field(default_factory=set)

    def place(self, loc: Loc) -> Place:
        """Return where a value stands, or else the innermost mapping or list that lacks it."""
        while loc not in self.values:
            loc = loc[:-1]
        return self.values[loc]

    def get(self, loc: Loc) -> Data:
        """Return a value, or None where nothing is written."""
        data = self.data
        for part in loc:
            if isinstance(data, Mapping) and isinstance(part, str):
                data = data.get(part)
            elif isinstance(data, tuple) and isinstance(part, int) and part < len(data):
                data = data[part]
            else:
                return None
        return data


def read(path: Path) -> Source:
    """Return what a plan file says, or raise PlanInvalidError if it says nothing."""
    root, source = nodes.read(path), Source()
    return replace(source, data=_walk(source, root, ()))


def _walk(source: Source, node: Node, loc: Loc) -> Data:
    """Return a node's plain value, noting places, words and faults in the source on the way."""
    source.values[loc] = start(node)
    if isinstance(node, MappingNode) and node.tag == TAG + "map":
        source.found[loc] = "a mapping"
        return _mapping(source, node, loc)
    if isinstance(node, SequenceNode) and node.tag == TAG + "seq":
        source.found[loc] = "a list"
        return tuple(_walk(source, item, (*loc, index)) for index, item in enumerate(node.value))
    try:
        value, source.found[loc] = _scalar(node)
    except ValueError as cause:
        place = source.values[loc] if node.value else source.keys.get(loc, source.values[loc])
        source.faults.append(Fault(place, where(loc), str(cause)))
        source.unread.add(loc)
        source.found[loc] = "nothing"
        return None
    return value


def _mapping(source: Source, node: Node, loc: Loc) -> Data:
    fields: dict[str, Data] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            what = "a field's name must be one word: remove this or put it in quotes"
            source.faults.append(Fault(start(key), where(loc), what))
            continue
        try:
            name = _whole(key.value)
        except ValueError as cause:
            source.faults.append(Fault(start(key), where(loc), f"a field's name {cause}"))
            continue
        here = (*loc, name)
        if name in fields:
            what = f"is written twice, first in line {source.keys[here].line}: keep one of them"
            source.faults.append(Fault(start(key), where(here), what))
            continue
        source.keys[here] = start(key)
        fields[name] = _walk(source, value, here)
    return fields


def _scalar(node: Node) -> tuple[Data, str]:
    """Return a scalar's value and its description. Source: YAML 1.2, core schema; dates are text."""
    tag, text = str(node.tag), node.value
    kind = tag.removeprefix(TAG)
    if not isinstance(node, ScalarNode) or kind not in {"null", "bool", "int", "float", "str", "timestamp"}:
        raise ValueError(f"the tag {shown(tag)} is not used in plans: remove it")
    text = _whole(text)
    if kind == "null":
        raise ValueError("has no value: write one (an optional field can be left out)")
    if kind == "bool":
        return _truth(text), shown(text, quote="")
    if kind == "int":
        return _whole_number(text), f"the number {shown(text, quote='')}"
    if kind == "float":
        return _fraction(text), f"the number {shown(text, quote='')}"
    return text, f"the text {shown(text)}"


def _whole(text: str) -> str:
    r"""Return text with the halves of characters put together that JSON writes: ``\ud83d\ude00``."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ValueError(
            f"holds half a character: {shown(text)}; correct the escape or write the character itself"
        ) from None


def _truth(text: str) -> bool:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    raise ValueError(f"{shown(text)} is neither true nor false: write one of them")  # %YAML 1.1 or a !!bool


def _whole_number(text: str) -> int:
    base = 0 if re.match(r"[-+]?0[box]", text) else 10
    try:
        # of a longer one in hex, which Python reads and then cannot show, nothing is read
        return int(text if len(text) <= _MOST_DIGITS else "", base)
    except ValueError:
        raise ValueError(f"the number {shown(text)} cannot be read: write it in plain digits") from None


def _fraction(text: str) -> float:
    try:
        return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
    except ValueError:
        raise ValueError(f"the number {shown(text)} cannot be read: write it in plain digits") from None
