"""Which member gives its data for a rehearsal, what that needs, and what is said where it does not come."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.members import Members
from support.targets import target

from orchestrator.commands import data
from orchestrator.errors import HostUnreachableError, RefusedError
from orchestrator.etcd.facts import room
from orchestrator.host.questions import Answer, Answers, Download, Question, Script
from orchestrator.migrations import MIGRATIONS
from orchestrator.session import Session

MIB = 1 << 20
GIVEN = Answer(0, "")


@dataclass
class Hosts(Members):
    """Members with room, and data of that size; ``gives`` is what becomes of the snapshot."""

    free_mib: int = 4000
    data_mib: int = 2000
    gives: Answer = GIVEN

    def look(self, questions: Iterable[Question]) -> Answers:
        asked = list(questions)
        own = {question: answer for question in asked if (answer := self.own(question))}
        return {**own, **super().look(question for question in asked if question not in own)}

    def own(self, question: Question) -> Answer | None:
        if isinstance(question, Download):
            question.into.write_text("data")
            return self.gives
        if isinstance(question, Script) and question.script == room.SCRIPT:
            kib = self.free_mib * 1024
            return Answer(0, f"weight {self.data_mib * 1024} 9\nsaved {kib} 9999 /var/lib\nopen root /\n")
        return None


def session(folder: Path, hosts: Hosts) -> Session:
    cluster = target(folder, {}).cluster
    return Session(folder / "plan.yaml", folder / "s", cluster, MIGRATIONS["bridge"], (), hosts)


def chosen(folder: Path, hosts: Hosts, api: str = "v3") -> data.Source:
    facts = target(folder, {}).facts.model_copy(update={"api": api})
    return data.choose(session(folder, hosts), facts)


def test_a_member_that_does_not_lead_is_read_and_its_hash_is_known_before(tmp_path: Path) -> None:
    hosts, file = Hosts(), tmp_path / "copy"
    source = chosen(tmp_path, hosts)
    assert ("server2", 2000 * MIB) == (source.target.name, source.data_bytes)
    assert "server2: a snapshot of its 2000 MiB of data is read" in data.announced(source)
    snapshot = data.fetch(session(tmp_path, hosts), source, file)
    assert ("server2", 10, 77, -1) == (
        snapshot.member, snapshot.revision, snapshot.hash, snapshot.compacted
    )  # fmt: skip
    assert (file, 4) == (snapshot.file, snapshot.size_bytes)
    assert ["server2"] == hosts.asked


def test_one_that_has_compacted_everything_gives_no_hash_and_its_data_all_the_same(tmp_path: Path) -> None:
    hosts, file = Hosts(), tmp_path / "copy"
    hosts.stores["server2"].compacted = hosts.stores["server2"].revision
    snapshot = data.fetch(session(tmp_path, hosts), chosen(tmp_path, hosts), file)
    assert (10, None, 4) == (snapshot.revision, snapshot.hash, snapshot.size_bytes)


def test_a_large_one_is_given_the_time_to_hash_its_keys(tmp_path: Path) -> None:
    hosts = Hosts()
    hosts.stores["server2"].size_bytes = 2_400_000_000
    source, one = chosen(tmp_path, hosts), session(tmp_path, hosts)
    one = replace(one, cluster=one.cluster.model_copy(update={"compare_data": True}))
    data.fetch(one, source, tmp_path / "copy")
    assert [305.0] == hosts.patience_s


@pytest.mark.parametrize(("compares", "size_bytes"), [(False, 0), ("auto", 500_000_000)])
def test_no_member_is_asked_for_a_hash_that_the_plan_leaves_out(
    tmp_path: Path, *, compares: bool | str, size_bytes: int
) -> None:
    hosts = Hosts()
    hosts.stores["server2"].size_bytes = size_bytes
    source, one = chosen(tmp_path, hosts), session(tmp_path, hosts)
    one = replace(one, cluster=one.cluster.model_copy(update={"compare_data": compares}))
    snapshot = data.fetch(one, source, tmp_path / "copy")
    assert ([], 10, None) == (hosts.asked, snapshot.revision, snapshot.hash)


def test_without_room_where_it_is_saved_both_numbers_are_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"server2: 2200 MiB left .* and 2256 are needed for its 2000 MiB"):
        chosen(tmp_path, Hosts(free_mib=2200))
    chosen(tmp_path, Hosts(free_mib=2256))


def test_keys_of_the_v2_interface_are_not_copied(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="keys are those of etcd's v2 interface, which no snapshot holds"):
        chosen(tmp_path, Hosts(), api="v2")


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        (Answer(1, "", "Error: etcdserver: mvcc: database space exceeded\n"), "database space exceeded"),
        (Answer(127, "", "check: 9: etcdctl: not found\n"), "etcdctl is not installed, or not on PATH"),
        (Answer(1, "", "Error: rpc error: auth: permission denied\n"), "authentication is on"),
        (Answer(124, ""), "it was not copied within 2756 s: 2000 MiB"),
    ],
)
def test_who_gives_no_snapshot_is_named_with_the_reason(tmp_path: Path, gives: Answer, said: str) -> None:
    hosts = Hosts(gives=gives)
    with pytest.raises(RefusedError, match=f"server2: no snapshot of its data: .*{said}") as refused:
        data.fetch(session(tmp_path, hosts), chosen(tmp_path, hosts), tmp_path / "copy")
    assert "Nothing was booted, and nothing is left on that host" in str(refused.value)


def test_a_host_that_cannot_be_reached_ends_it(tmp_path: Path) -> None:
    hosts = Hosts()
    source = chosen(tmp_path, hosts)
    hosts.lost.add("server2")
    with pytest.raises(HostUnreachableError, match="server2"):
        data.fetch(session(tmp_path, hosts), source, tmp_path / "copy")
