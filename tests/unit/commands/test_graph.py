"""The picture of a migration, with where the hosts stand."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.event_logs import EVENTS
from unit.pki.pki_plans import plan_in

from orchestrator.commands.graph import picture
from orchestrator.engine.events import Recorded
from orchestrator.engine.state_file import create
from orchestrator.errors import RefusedError, UsageError
from orchestrator.migrations import MIGRATIONS
from orchestrator.session import unconnected

OURS = {"cluster": "three-members", "host": "server2", "step": "stage/server2"}
STAGED: list[Recorded] = [
    event.model_copy(
        update={
            name: value
            for name, value in {**OURS, "hosts": ("server2",)}.items()
            if name in type(event).model_fields and event.event != "run_began"
        }
    )
    for event in EVENTS
]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = plan_in(tmp_path)
    create(tmp_path / "plan.yaml.state.jsonl", STAGED)
    return path


def test_a_terminal_shows_who_stands_where(plan: Path) -> None:
    lines = picture(None, "text", plan, None).splitlines()

    assert "  [plaintext]  <== you are here: server1, server3" in lines
    assert "  [staged]  <== you are here: server2" in lines
    assert "  [relaying]  <== you are here: proxy1" in lines
    assert not any("move-clients" in line for line in lines)


def test_mermaid_has_it_in_notes_and_is_as_it_was_without_a_plan(plan: Path) -> None:
    assert "    note right of staged: you are here: server2\n" in picture("bridge", "mermaid", plan, None)
    assert "you are here" not in picture("bridge", "mermaid", None, None)


@pytest.mark.parametrize("migration", MIGRATIONS)
def test_svg_is_xml_with_every_state_and_round(migration: str) -> None:
    words = {element.text for element in ET.fromstring(picture(migration, "svg", None, None)).iter()}  # noqa: S314 -- ours

    table = MIGRATIONS[migration]
    assert {state.name for state in table.states} | {one.name for one in table.rounds} <= words


def test_svg_shows_who_stands_where(plan: Path) -> None:
    assert ">you are here: server1, server3<" in picture(None, "svg", plan, None)


def test_an_unknown_format_or_another_migration_than_the_plans_is_refused(plan: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'svg'"):
        picture(None, "svgg", None, None)
    with pytest.raises(UsageError, match="the plan's migration is bridge"):
        picture("guide", "text", plan, None)


def test_a_state_file_of_another_run_or_of_none_is_refused_with_commands_that_run(plan: Path) -> None:
    state = plan.with_name("other")
    create(state, EVENTS)
    with pytest.raises(RefusedError, match="a run of another plan"):
        picture(None, "text", plan, state)
    state.write_text("x\n")
    with pytest.raises(RefusedError) as refused:
        picture(None, "text", plan, state)
    assert str(refused.value).endswith(f"then: {unconnected(plan, state).command('recover')}")
