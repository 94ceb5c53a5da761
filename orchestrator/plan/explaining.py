"""What pydantic finds wrong with a plan, in an operator's words."""

import re
from collections.abc import Collection
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestrator.plan.faults import Fault, Loc, meant, nearest, where
from orchestrator.plan.model import Cluster
from orchestrator.plan.plan import described, fields, section
from orchestrator.plan.source import Source

_EXPECTED = {
    "string_type": "text",
    "string_unicode": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a mapping of fields",
    "greater_than_equal": "a number from 1 to 65535",
    "less_than_equal": "a number from 1 to 65535",
}
_YES = {"yes", "on", "y", "true", "1"}
_NO = {"no", "off", "n", "false", "0"}


def validate(source: Source, folder: Path) -> tuple[Cluster | None, dict[Loc, Fault]]:
    """Return the cluster if the plan's fields are sound, and a fault for each field that is not.

    Paths in it are relative to ``folder``.
    """
    try:
        return Cluster.model_validate(source.data, context=folder, by_alias=True, by_name=False), {}
    except ValidationError as cause:
        found = cause.errors(include_url=False)
    errors: list[ErrorDetails] = [{**error, "loc": _written(source, error["loc"])} for error in found]
    faults = {error["loc"]: _fault(source, error) for error in errors if error["loc"] not in source.unread}
    misspelt = {
        (*loc[:-1], nearest(str(loc[-1]), fields(owner)))
        for loc in (error["loc"] for error in errors if error["type"] == "extra_forbidden")
        if (owner := section(loc[:-1]))
    }
    for error in errors:
        if error["type"] == "missing" and error["loc"] in misspelt:
            del faults[error["loc"]]  # it is there under another name, which is a fault already
    return None, faults


def _written(source: Source, loc: Loc) -> Loc:
    """Return the place of a value in the file; the units to watch may be written without their field."""
    is_short = loc[:2] == ("watch", "units") and isinstance(source.get(("watch",)), tuple)
    return ("watch", *loc[2:]) if is_short else loc


def _fault(source: Source, error: ErrorDetails) -> Fault:
    loc = error["loc"]
    place = source.keys[loc] if error["type"] == "extra_forbidden" else source.place(loc)
    return Fault(place, where(loc), _what(source, error))


def _what(source: Source, error: ErrorDetails) -> str:
    """Return what is wrong and how to fix it."""
    loc, kind, context = error["loc"], error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        owner = section(loc[:-1])
        return f"unknown field, {meant(str(loc[-1]), fields(owner) if owner else ())}"
    if kind == "missing":
        return f"missing: add it, such as '{loc[-1]}: {_example(loc)}'"
    if kind == "value_error":
        return str(context["error"])
    expected = _EXPECTED.get(kind) or context.get("expected") or error["msg"]
    return f"expected {expected}, found {source.found[loc]}: {_fix(source, loc, kind, expected)}"


def _fix(source: Source, loc: Loc, kind: str, expected: str) -> str:
    """Return how to turn a value into one of the expected kind."""
    value = source.get(loc)
    word = str(value).lower()
    if kind == "literal_error":
        return _choice(word, re.findall(r"'(\w+)'", expected))
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "put it in quotes if it is meant"
    if kind == "int_type" and isinstance(value, str) and value.isdecimal():
        return "write it without quotes"
    if kind == "bool_type" and isinstance(value, str) and word in _YES | _NO:
        return f"write {'true' if word in _YES else 'false'}, without quotes"
    return f"write it such as '{_example(loc)}'"


def _choice(word: str, choices: Collection[str]) -> str:
    """Return which word is meant; ``become: no`` and ``become: true`` are answers of a kind."""
    if "sudo" in choices and word in _YES | _NO:
        return f"write {'sudo' if word in _YES else 'none'}"
    return meant(word, choices)


def _example(loc: Loc) -> str:
    """Return an example of a field, or of the first field of an item in a list."""
    field = described(loc)
    if field and field.examples:
        return str(field.examples[0])
    owner = section(loc)
    if owner is None and isinstance(loc[-1], int):
        return _example(loc[:-1]).strip("[]").partition(",")[0]
    return ", ".join(
        f"{name}: {_example((*loc, name))}"
        for name, each in (fields(owner).items() if owner else ())
        if each.is_required()
    )
