"""Comparing the members' data: at one revision, however much is written and compacted meanwhile."""

import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from support.members import Members, Store
from support.targets import target

from orchestrator.commands.comparing import NO_HASH, DifferError, agree
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Event, Waiting
from orchestrator.engine.wait import NotYetError
from orchestrator.etcd.api import v3
from orchestrator.etcd.facts.hashes import Agreement
from orchestrator.host.questions import Answer, Answers, Question, Script
from orchestrator.migrations import MIGRATIONS
from orchestrator.session import Session


def compare(
    folder: Path, members: Members, *, reported: list[Event] | None = None, api: str = "v3"
) -> object:
    one = target(folder, {})
    facts = one.facts.model_copy(update={"api": api})
    patience = one.cluster.patience.model_copy(update={"gate_s": 0.2, "pause_s": 0.01})
    cluster = one.cluster.model_copy(update={"compare_data": True})  # however much there is to hash
    session = Session(folder / "plan.yaml", folder / "s", cluster, MIGRATIONS["bridge"], (), members)
    heard: list[Event] = [] if reported is None else reported
    return agree(session, facts, RunContext(patience, narrate=heard.append))


def test_members_with_the_same_keys_agree_and_the_leader_is_asked_last(tmp_path: Path) -> None:
    members = Members()
    assert Agreement(10, 77) == compare(tmp_path, members)
    assert ["server2", "server3", "server1"] == members.asked


@pytest.mark.parametrize(
    ("size_bytes", "names"), [(2_200_000_000, ["server2", "server3", "server1"]), (1000, [])]
)
def test_whoever_hashes_for_long_is_named(tmp_path: Path, size_bytes: int, names: list[str]) -> None:
    members, reported = Members(), list[Event]()
    for store in members.stores.values():
        store.size_bytes = size_bytes
    compare(tmp_path, members, reported=reported)
    named = [reason for event in reported if isinstance(event, Waiting) for reason in event.reasons]
    assert [f"{name} holds 2.2 GB, which it hashes to compare the data" for name in names] == named


def test_a_member_with_other_keys_is_reported_with_every_hash(tmp_path: Path) -> None:
    members = Members()
    members.stores["server2"].keys = 78
    with pytest.raises(DifferError, match="server2 78, server3 77, server1 77"):
        compare(tmp_path, members)


@pytest.mark.parametrize("written", [1, 1000])
def test_writes_do_not_disturb_it(tmp_path: Path, written: int) -> None:
    assert Agreement(10, 77) == compare(tmp_path, Members(written=written))


def test_a_store_compacted_to_its_last_revision_is_compared_there(tmp_path: Path) -> None:
    members = Members()
    for store in members.stores.values():
        store.compacted = store.revision
    assert Agreement(10, 77) == compare(tmp_path, members)


def test_who_has_compacted_less_is_waited_for_and_not_called_different(tmp_path: Path) -> None:
    members, reported = Members(), list[Event]()
    members.stores["server3"] = Store(compacted=4, keys=5)
    with pytest.raises(NotYetError, match=r"a compaction is under way: .*server3 to 4") as waited:
        compare(tmp_path, members, reported=reported)
    assert not isinstance(waited.value, DifferError)
    assert reported


def test_who_lags_has_to_come_to_where_the_others_were(tmp_path: Path) -> None:
    members = Members()
    members.stores["server3"].revision = 7
    with pytest.raises(NotYetError, match="server3 has come to revision 7, and has to come to 10"):
        compare(tmp_path, members)
    assert not members.asked


def test_a_member_that_cannot_be_asked_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotYetError, match="server2: timed out"):
        compare(tmp_path, Members(lost={"server2"}))


class LongHashed(Members):
    """Members that hash for longer together than the patience; one compacts behind the first answer."""

    def look(self, questions: Iterable[Question]) -> Answers:
        asked = tuple(questions)
        found = super().look(asked)
        if any(isinstance(one, Script) and one.script == v3.HASH for one in asked):
            time.sleep(0.1)
            for store in self.stores.values():
                store.compacted = 4
        return found


@pytest.mark.parametrize("written", [0, 1])
def test_a_compaction_between_answers_that_take_long_is_no_reason_to_give_up(
    tmp_path: Path, written: int
) -> None:
    members = LongHashed(written=written)
    assert Agreement(10 + 4 * written, 77) == compare(tmp_path, members)
    assert 2 * ["server2", "server3", "server1"] == members.asked


def test_members_that_differ_are_not_hashed_once_more_behind_the_patience(tmp_path: Path) -> None:
    members = LongHashed()
    for store in members.stores.values():
        store.compacted = 4
    members.stores["server3"].keys = 78
    with pytest.raises(DifferError):
        compare(tmp_path, members)
    assert 3 == len(members.asked)


class NeverDone(Members):
    """Members that go on hashing when nobody waits any more."""

    def look(self, questions: Iterable[Question]) -> Answers:
        asked = tuple(questions)
        if all(isinstance(one, Script) and one.script == v3.HASH for one in asked):
            time.sleep(0.3)
            self.asked += [one.host for one in asked]
            return {one: Answer(124, "") for one in asked}
        return super().look(asked)


def test_a_member_that_ran_out_of_time_is_not_made_to_hash_once_more(tmp_path: Path) -> None:
    members = NeverDone()
    with pytest.raises(NotYetError, match="server2: no answer in time"):
        compare(tmp_path, members)
    assert ["server2"] == members.asked


def test_v2_has_no_hash(tmp_path: Path) -> None:
    members = Members()
    assert NO_HASH == compare(tmp_path, members, api="v2")
    assert not members.asked


def test_a_member_has_as_long_as_a_slow_disk_takes_to_read_all_that_it_holds(tmp_path: Path) -> None:
    members = Members()
    members.stores["server2"].size_bytes = 8 << 30  # the most that etcd's documentation suggests
    assert Agreement(10, 77) == compare(tmp_path, members)
    large, *small = members.patience_s
    assert large > (8 << 30) / 10e6
    assert [65.0, 65.0] == small


def test_no_size_that_a_member_reports_has_it_waited_for_without_an_end(tmp_path: Path) -> None:
    members = Members()
    members.stores["server2"].size_bytes = 2**63
    compare(tmp_path, members)
    assert 1805.0 == members.patience_s[0]
