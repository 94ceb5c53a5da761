"""Whether the lab's members have what the real one gave: reported with the numbers, and refused if not."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import cast

import pytest
from engine.world import make_cluster

from orchestrator.host.operations import Secret
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle import restoring
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.provisioning import login
from orchestrator.plan.layout import Snapshot
from orchestrator.plan.model import Auth
from orchestrator.probe.login import Login


@dataclass
class Member:
    """A host whose etcd tells that of its data, the hash if it is asked for."""

    name: str
    hash: int = 77
    compacted: int = 5
    address: str = "198.18.0.101"
    given: list[str] = field(default_factory=list)
    says: tuple[int, str, str] | None = None

    def run(
        self, argv: Sequence[str], *, timeout_s: float, stdin: str, check: bool = True
    ) -> CompletedProcess[str]:
        if self.says:
            code, stdout, stderr = self.says
            if check and code != 0:  # as the lab's own run() does
                raise LabError(f"exit {code}: {stderr or stdout}")
            return CompletedProcess(argv, code, stdout, stderr)
        self.given += [*argv, str(timeout_s), stdin]
        hashed = [{"HashKV": {"hash": self.hash, "compact_revision": self.compacted}}]
        printed = [{"count": 300}, *([hashed] if argv[-1] else [])]
        return CompletedProcess(argv, 0, "".join(f"{json.dumps(one)}\n" for one in printed), "")


def compared(
    folder: Path, *members: Member, size_bytes: int = 0, auth: Auth | None = None, known: int | None = 77
) -> str:
    cluster = make_cluster(folder).model_copy(update={"auth": auth})
    snapshot = Snapshot(folder / "copy", size_bytes, "server2", revision=10, hash=known, compacted=5)
    return restoring.compare([cast("Host", member) for member in members], cluster, snapshot)


def test_what_was_restored_is_reported_with_its_numbers(tmp_path: Path) -> None:
    reported = compared(tmp_path, Member("server1"), Member("server2"))
    assert reported == (
        "restored 300 keys, revision 10, of server2's snapshot: hash 77, on every member as on server2"
    )


def test_another_hash_is_no_restored_data(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="its hash is 78; server2 reported 77 for the same revision 10"):
        compared(tmp_path, Member("server1", 78), Member("server2", 78))
    with pytest.raises(LabError, match="server2 have other data than server1"):
        compared(tmp_path, Member("server1"), Member("server2", 78))


def test_what_the_real_member_has_compacted_meanwhile_is_not_compared(tmp_path: Path) -> None:
    reported = compared(tmp_path, Member("server1", 78, 9), Member("server2", 78, 9))
    assert reported.endswith("hash 78 on every member; server2 has compacted its own meanwhile")


def test_without_a_hash_of_the_real_member_nothing_is_compared(tmp_path: Path) -> None:
    reported = compared(tmp_path, Member("server1"), Member("server2", 78), known=None)
    assert reported.startswith("restored 300 keys, revision 10, of server2's snapshot: not compared")


def test_large_data_gets_more_time_and_nobody_sees_the_password(tmp_path: Path) -> None:
    file = tmp_path / "password"
    member, auth = Member("server1"), Auth(user="root", password_file=file)
    file.write_text("planted")
    compared(tmp_path, member, size_bytes=2 << 30, auth=auth)
    assert "215s" in member.given
    assert ["root:planted\n"] == [word for word in member.given if "planted" in word]
    assert "root:planted\n" == member.given[-1]


@pytest.mark.parametrize(
    ("code", "stderr", "reason"),
    [(0, "", "cannot be read"), (1, "Error: no leader", "exit 1: Error: no leader"), (1, "", "exit 1")],
)
def test_no_key_is_quoted_from_what_cannot_be_read(
    tmp_path: Path, code: int, stderr: str, reason: str
) -> None:
    member = Member("server1", says=(code, '{"kvs":[{"key":"c2VjcmV0', stderr))
    with pytest.raises(LabError, match=f"server1: .*{reason}") as refused:
        compared(tmp_path, member)
    assert "c2VjcmV0" not in str(refused.value)


def test_the_login_of_the_data_is_its_own() -> None:
    snapshot = Snapshot(Path("copy"), 0, "server2", 1, 1, 1, Secret("anna:a:b"))
    assert Login("anna", "a:b") == login.given(snapshot)
    assert login.given(None) is None
    assert "a:b" not in repr(snapshot)
