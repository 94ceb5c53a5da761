"""The plan's JSON schema: what editors show is what the loader takes."""

from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from orchestrator.migrations import MIGRATIONS
from orchestrator.plan import schema
from orchestrator.plan.plan import SECTIONS, fields

PLANS = sorted((Path(__file__).parents[3] / "plans").glob("*.yaml"))
VALIDATOR = Draft202012Validator(schema.schema(MIGRATIONS))
WRONG: dict[str, dict[str, Any]] = {
    "unknown-field": {"adress": "198.18.0.1"},
    "no-members": {"members": None},
    "strategy": {"strategy": "bridges"},
    "number-in-quotes": {"ports": {"client": "2379"}},
    "port-too-large": {"ports": {"peer": 65536}},
    "duration-without-unit": {"patience": {"gate": 90}},
    "peers-unchecked": {"tls": {"peer_cert_auth": False}},
    "name-with-a-blank": {"cluster": "my cluster"},
    "null": {"auth": None},
}


def written(path: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", YAML(typ="safe", pure=True).load(path.read_text()))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema.schema(MIGRATIONS))


@pytest.mark.parametrize("plan", PLANS, ids=lambda path: path.stem)
def test_a_shipped_plan_is_what_the_schema_describes(plan: Path) -> None:
    assert [] == [error.message for error in VALIDATOR.iter_errors(written(plan))]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_plan_is_not(name: str) -> None:
    plan = written(PLANS[-2])
    for key, value in WRONG[name].items():
        plan[key] = {**plan.get(key, {}), **value} if isinstance(value, dict) else value

    assert not VALIDATOR.is_valid(plan)


def test_every_field_has_its_meaning_and_every_example_is_valid() -> None:
    whole = schema.schema(MIGRATIONS)
    definitions = {"Cluster": whole, **whole["$defs"]}
    for section in SECTIONS.values():
        described = definitions[section.__name__]["properties"]
        assert fields(section).keys() == described.keys()
        for field in described.values():
            assert field["description"]
            for example in field.get("examples", ()):
                part = {**field, "$defs": whole["$defs"]}
                assert [] == [error.message for error in Draft202012Validator(part).iter_errors(example)]


def test_a_list_of_units_alone_may_be_watched() -> None:
    plan = written(PLANS[-2]) | {"watch": ["fleet"]}

    assert VALIDATOR.is_valid(plan)
