"""The plan's JSON schema, for editors: the model's own fields, descriptions, examples and choices."""

import json
from collections.abc import Collection
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from orchestrator.plan.model import Cluster

FILE = "plan.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LEFT_OUT = "..."  # in an example, what a reader may add


def schema(strategies: Collection[str]) -> dict[str, Any]:
    """Return the schema of a plan as an operator writes it; ``strategies`` are the names to choose from."""
    made: dict[str, Any] = _as_written(Cluster.model_json_schema(by_alias=True))
    made["properties"]["strategy"]["enum"] = list(strategies)
    watch = made["properties"]["watch"]
    watch["anyOf"] = [{"$ref": watch.pop("$ref")}, {"type": "array", "items": {"type": "string"}}]
    return {"$schema": DIALECT, **made, "title": "orchestrator plan"}


def text(strategies: Collection[str]) -> str:
    """Return it as a file's content."""
    return json.dumps(schema(strategies), indent=2) + "\n"


def _as_written(node: Any) -> Any:  # noqa: ANN401 -- JSON
    """Return a part of the schema as plans are written: a value is there or left out, and never null."""
    if isinstance(node, list):
        return [_as_written(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _as_written(value) for key, value in node.items() if key not in {"examples", "default"}}
    choices = [one for one in kept.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        del kept["anyOf"]
        kept |= choices[0]
    elif choices:
        kept["anyOf"] = choices
    if isinstance(node.get("examples"), list):
        kept["examples"] = [value for one in node["examples"] if (value := _example(one)) is not None]
    if node.get("default") not in (None, {}, []):
        kept["default"] = node["default"]
    return kept


def _example(example: object) -> object:
    """Return an example as the value that it is in a plan, or None if it is not a whole one."""
    if not isinstance(example, str) or not example.startswith(("[", "{", "'", "true", "false")):
        return example
    if _LEFT_OUT in example:
        return None
    try:
        return YAML(typ="safe", pure=True).load(example)
    except YAMLError:
        return example
