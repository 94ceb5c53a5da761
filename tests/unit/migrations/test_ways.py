"""A round's two ways: going back is swapping them, and what belongs to one is never asked of the other."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from engine.world import World, make_cluster

from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.migrations.orders import leader_last
from orchestrator.migrations.table import Migration, Round
from orchestrator.runbook.compile import compile_backward, compile_forward

ROUNDS = [
    pytest.param(round_, id=f"{migration.name}-{round_.name}")
    for migration in MIGRATIONS.values()
    for round_ in migration.rounds
]


@pytest.mark.parametrize("round_", ROUNDS)
def test_going_back_swaps_the_ways_and_the_states_and_keeps_the_rest(round_: Round) -> None:
    back = round_.reversed
    assert (round_.back, round_.there) == (back.there, back.back)
    assert (round_.target, round_.source) == (back.source, back.target)
    swapped = {"name", "source", "target", "there", "back"}
    kept = [field.name for field in fields(Round) if field.name not in swapped]
    assert [getattr(round_, name) for name in kept] == [getattr(back, name) for name in kept]
    assert round_ == replace(back.reversed, name=round_.name)


@pytest.mark.parametrize("migration", MIGRATIONS.values(), ids=MIGRATIONS)
def test_a_proof_is_asked_for_on_its_own_way_only(migration: Migration, tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    facts = gather(cluster, World(cluster).look)
    there, back = (way(cluster, facts, migration) for way in (compile_forward, compile_backward))
    assert ["server1: proven to every peer"] == [gate.title for gate in there.step("prove/server1").proof]
    assert ["server1: free of trials"] == [gate.title for gate in back.step("undo-prove/server1").proof]


@pytest.mark.parametrize("way", ["there", "back"])
def test_an_order_with_a_last_member_needs_a_handover_on_each_way(way: str) -> None:
    round_ = next(round_ for round_ in MIGRATIONS["bridge"].rounds if round_.usual_order is leader_last)
    without = replace(getattr(round_, way), hand_over=None)
    with pytest.raises(ValueError, match=f"round {round_.name}: leader last.* needs handovers"):
        replace(round_, **{way: without})
